# Writes OUT, a C file that holds every kernel source of DIR as a NUL-terminated byte array and a
# table of them: tpp_embedded_kernels[] = {{"gemm.cl", bytes}, ..., {0, 0}}.
file(GLOB files ${DIR}/*.cl ${DIR}/*.clh)
list(SORT files)
set(arrays "")
set(rows "")
set(n 0)
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const unsigned char kernel_${n}[] = {${bytes}0};\n")
  string(APPEND rows "    {\"${name}\", (const char *)kernel_${n}},\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE ${OUT} "/* Made by cmake/embed.cmake. */\n#include \"cl/program.h\"\n${arrays}\n"
  "const tpp_embedded_kernel tpp_embedded_kernels[] = {\n${rows}    {0, 0},\n};\n")
