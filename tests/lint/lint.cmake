# ctest tests lint.*: what can be read off the sources without a device. Exit code 77 is a skip.
foreach(check layers lengths kernels format names)
  add_test(NAME lint.${check}
           COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/${check}.sh ${PROJECT_SOURCE_DIR})
  set_tests_properties(lint.${check} PROPERTIES LABELS lint SKIP_RETURN_CODE 77 TIMEOUT 300)
endforeach()

add_test(NAME lint.doxygen COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/doxygen.sh ${PROJECT_SOURCE_DIR}
                                   ${PROJECT_BINARY_DIR}/doc)
set_tests_properties(lint.doxygen PROPERTIES LABELS lint SKIP_RETURN_CODE 77 TIMEOUT 300)

# cmake --build build --target format | lint: lays the sources out; all of the above and clang-tidy.
add_custom_target(format COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/format.sh ${PROJECT_SOURCE_DIR} fix
                  VERBATIM)
add_custom_target(
  lint
  COMMAND ${CMAKE_CTEST_COMMAND} --output-on-failure -L lint
  COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/tidy.sh ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}
  WORKING_DIRECTORY ${PROJECT_BINARY_DIR}
  VERBATIM)
