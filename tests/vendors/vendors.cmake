# ctest tests vendors.*: the kernels of a GPU through the vendors' compilers (README.md here). Exit
# code 77 is a skip: there are no such compilers, or no Python.
add_executable(list_programs ${CMAKE_CURRENT_LIST_DIR}/list_programs.c)
target_link_libraries(list_programs PRIVATE tpp_all)
target_link_options(list_programs PRIVATE -Wl,--wrap=tpp_record -Wl,--wrap=tpp_op_choose)

find_program(TPP_PYTHON NAMES python3)
if(TPP_PYTHON)
  add_test(NAME vendors.check COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/check_gate)
  add_test(NAME vendors.gate COMMAND ${TPP_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/gate
                                     ${PROJECT_BINARY_DIR})
  set_tests_properties(vendors.check vendors.gate PROPERTIES LABELS vendors SKIP_RETURN_CODE 77
                                                             TIMEOUT 1800)
  set_tests_properties(vendors.gate PROPERTIES
    ENVIRONMENT "TPP_CACHE_DIR=${PROJECT_BINARY_DIR}/kernel-cache")
endif()
