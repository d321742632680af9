# ctest tests bench.*: the programs of bench/, where they are built.
if(TPP_BENCH)
  foreach(program bench_graph bench_ops compare_blas)
    add_test(NAME bench.${program}
             COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/programs.sh ${program} ${PROJECT_BINARY_DIR}
                     ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR}/bench-${program})
    set_tests_properties(bench.${program} PROPERTIES LABELS bench SKIP_RETURN_CODE 77 TIMEOUT 300
                         ENVIRONMENT TPP_TUNING=none)
  endforeach()
endif()
