# ctest install.exports, and what test_install.c has to know of this build.
add_test(NAME install.exports COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/exports.sh
                                      ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
set_tests_properties(install.exports PROPERTIES LABELS install SKIP_RETURN_CODE 77 TIMEOUT 60)

set(sanitize "")
if(TPP_SANITIZE)
  set(sanitize "-fsanitize=address,undefined")
endif()
target_compile_definitions(
  test_install_install PRIVATE TPP_BUILD_DIR="${PROJECT_BINARY_DIR}" TPP_CC="${CMAKE_C_COMPILER}"
                               TPP_CFLAGS="${sanitize}")
