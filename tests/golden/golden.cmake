# ctest tests golden.*: whole models against the reference program's numbers, by algorithm. Each
# file tells its configuration and seed; weights and inputs are made from those.
set(golden_folder ${CMAKE_CURRENT_LIST_DIR})
file(GLOB golden_files CONFIGURE_DEPENDS ${golden_folder}/forward_*.safetensors
     ${golden_folder}/text_*.safetensors)

# golden_test(NAME algorithm-or-"" label files...)
function(golden_test name algorithm label)
  if(NOT TARGET tpp)
    return()
  endif()
  set(options "")
  if(algorithm)
    set(options --algorithm ${algorithm})
  endif()
  add_test(NAME golden.${name} COMMAND tpp selftest ${options} --golden ${ARGN})
  set_tests_properties(
    golden.${name} PROPERTIES LABELS "${label}" TIMEOUT 900
    ENVIRONMENT "TPP_CACHE_DIR=${PROJECT_BINARY_DIR}/kernel-cache;TPP_TUNING=none")
endfunction()

golden_test(default "" golden ${golden_files})
golden_test(plain plain golden ${golden_folder}/forward_micro.safetensors
            ${golden_folder}/forward_tiny.safetensors ${golden_folder}/text_small.safetensors
            ${golden_folder}/forward_tiny_referformer.safetensors
            ${golden_folder}/forward_tiny_clip_prompts.safetensors)
golden_test(vector vector golden ${golden_files})
golden_test(clblast clblast golden ${golden_files})
golden_test(tile tile golden ${golden_folder}/forward_tiny.safetensors
            ${golden_folder}/forward_r50.safetensors)

# Where the project's shared folder lies beside the checkout: the full size.
set(full_size
    ${PROJECT_SOURCE_DIR}/../shared/reference/golden/forward_r50_360x640.safetensors)
if(EXISTS ${full_size})
  golden_test(full_size "" "golden;slow" ${full_size})
endif()
