# The library for other programs: libtpp.so with the functions of host/tpp.h and nothing else,
# libtpp.a, the header, and what pkg-config and find_package(tpp) look for. All of it may be moved
# to another folder after it was installed.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The number in libtpp.so.N is the interface's, not the program's version.
file(STRINGS host/tpp.h api_line REGEX "^#define TPP_API_VERSION [0-9]+$")
string(REGEX MATCH "[0-9]+$" tpp_api_version "${api_line}")

if(TPP_SHARED)
  add_library(tpp_shared SHARED ${library_objects})
  target_link_libraries(tpp_shared PRIVATE ${library_needs})
  target_link_options(tpp_shared PRIVATE -Wl,--as-needed
                      -Wl,--version-script=${PROJECT_SOURCE_DIR}/host/libtpp.map)
  set_target_properties(
    tpp_shared PROPERTIES OUTPUT_NAME tpp EXPORT_NAME tpp SOVERSION ${tpp_api_version}
                          VERSION ${tpp_api_version}.${PROJECT_VERSION}
                          LINK_DEPENDS ${PROJECT_SOURCE_DIR}/host/libtpp.map)
  target_include_directories(tpp_shared INTERFACE $<INSTALL_INTERFACE:include>)
  install(TARGETS tpp_shared EXPORT tpp LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT tpp NAMESPACE tpp:: FILE tppTargets.cmake
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tpp)
endif()
install(TARGETS tpp_all ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES host/tpp.h DESTINATION include)

# What libtpp.a needs. Where there is no libtpp.so, whoever asks for the library needs it too.
set(tpp_requires OpenCL libpng zlib yaml-0.1 jansson libutf8proc libcrypto)
set(tpp_libs "-lm -pthread")
pkg_check_modules(CLBLAST_PC QUIET clblast)
if(CLBLAST_PC_FOUND)
  list(APPEND tpp_requires clblast)
else()
  string(PREPEND tpp_libs "-lclblast ")
endif()
list(JOIN tpp_requires " " tpp_requires_text)
if(TPP_SHARED)
  set(tpp_needs "Requires.private: ${tpp_requires_text}
Libs: -L\${libdir} -ltpp
Libs.private: ${tpp_libs}")
else()
  set(tpp_needs "Requires: ${tpp_requires_text}
Libs: -L\${libdir} -ltpp ${tpp_libs}")
endif()

file(RELATIVE_PATH tpp_up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" tpp_up "${tpp_up}")
configure_file(cmake/tpp.pc.in tpp.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tpp.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

configure_package_config_file(cmake/tppConfig.cmake.in tppConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tpp)
write_basic_package_version_file(tppConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tppConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/tppConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tpp)

# cmake --build build --target doc: host/tpp.h as pages, build/doc/html/index.html
find_program(DOXYGEN doxygen)
if(DOXYGEN)
  add_custom_target(
    doc
    COMMAND sh ${PROJECT_SOURCE_DIR}/tests/lint/doxygen.sh ${PROJECT_SOURCE_DIR}
            ${PROJECT_BINARY_DIR}/doc
    VERBATIM)
endif()
