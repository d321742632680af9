# Writes OUT, a C file that holds FILE as a NUL-terminated byte array called NAME.
file(READ ${FILE} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUT} "/* Made by cmake/embed_file.cmake. */\nextern const unsigned char ${NAME}[];\n"
  "const unsigned char ${NAME}[] = {${bytes}0};\n")
