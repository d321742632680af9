# Writes OUT, a C file with the commit of the source tree DIR: "1a2b3c4d5e6f", "-dirty" behind it
# where files differ from it, "" where there is no git to ask. Left alone when nothing changed.
find_program(git git)
set(commit "")
if(git AND EXISTS ${DIR}/.git)
  execute_process(COMMAND ${git} -C ${DIR} describe --always --dirty --abbrev=12 --exclude=*
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
set(text "/* Made by cmake/commit.cmake. */
extern const char tpp_commit[];
const char tpp_commit[] = \"${commit}\";
")
set(old "")
if(EXISTS ${OUT})
  file(READ ${OUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUT} "${text}")
endif()
