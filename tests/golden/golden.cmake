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
golden_test(tile tile golden ${golden_files})

# A small device: work-groups of 64, 16 KiB of local memory, 64 MiB in a buffer. Without text_base,
# whose embedding does not fit: that must be said before anything runs. `tile` also without
# forward_r50_official, whose frame2.logit0 is 0.013 where logits are of the order of 1: in tiles that
# fit such a device its rounding comes to 2.9e-4 of that.
set(small_files ${golden_files})
list(FILTER small_files EXCLUDE REGEX "text_base")
set(small_tile_files ${small_files})
list(FILTER small_tile_files EXCLUDE REGEX "forward_r50_official")
set(small_device "TPP_LIMITS=group=64,local=16384,alloc=67108864,subgroups=0,half=0")
if(TARGET tpp)
  golden_test(small_device "" golden ${small_files})
  golden_test(small_device_tile tile golden ${small_tile_files})
  golden_test(small_device_refused "" golden ${golden_folder}/text_base.safetensors)
  foreach(name small_device small_device_tile small_device_refused)
    set_property(TEST golden.${name} APPEND PROPERTY ENVIRONMENT ${small_device})
  endforeach()
  set_tests_properties(golden.small_device_refused PROPERTIES PASS_REGULAR_EXPRESSION
    "weights text[a-z._]* \\[[0-9,x ]*\\].*: 154.4 MB wanted in one buffer, .* at most 67.1 MB")
endif()

# Where the project's shared folder lies beside the checkout: the full size.
set(full_size
    ${PROJECT_SOURCE_DIR}/../shared/reference/golden/forward_r50_360x640.safetensors)
if(EXISTS ${full_size})
  golden_test(full_size "" "golden;slow" ${full_size})
endif()
