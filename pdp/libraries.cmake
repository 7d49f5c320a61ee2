# SPDX-License-Identifier: Apache-2.0
# libpdp and libpdp-engine: what gateways link, with pkg-config files and a CMake package. Hidden but for PDP_API.
include(CMakePackageConfigHelpers)

# The floors are archives: only what the library's own files need is taken from them, so each links no more than
# it uses. Public functions that they do not call themselves are asked for by name.
function(pdp_add_library target name description)
    cmake_parse_arguments(ARG "" "EXPORT" "SOURCES;LINK;KEEP" ${ARGN})
    add_library(${target} SHARED ${ARG_SOURCES})
    target_link_libraries(${target} PRIVATE ${ARG_LINK})
    target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR} EXPORT_NAME ${ARG_EXPORT})
    target_link_options(${target} PRIVATE -Wl,--as-needed)
    if(NOT PDP_SANITIZE AND NOT PDP_FUZZ AND NOT PDP_COVERAGE)
        target_link_options(${target} PRIVATE -Wl,--no-undefined)
    endif()
    foreach(symbol ${ARG_KEEP})
        target_link_options(${target} PRIVATE -Wl,-u,${symbol})
    endforeach()
    install(TARGETS ${target} EXPORT pdp LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})

    set(PDP_PC_NAME lib${name})
    set(PDP_PC_LIBRARY ${name})
    set(PDP_PC_DESCRIPTION "${description}")
    # Relative to the .pc file, so that a tree that was installed elsewhere, or moved, still works.
    if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
        set(PDP_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
    else()
        string(REGEX REPLACE "[^/]+" ".." up "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
        set(PDP_PC_PREFIX "\${pcfiledir}/${up}")
    endif()
    cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_LIBDIR BASE_DIRECTORY "\${prefix}" OUTPUT_VARIABLE PDP_PC_LIBDIR)
    cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_INCLUDEDIR BASE_DIRECTORY "\${prefix}" OUTPUT_VARIABLE PDP_PC_INCLUDEDIR)
    configure_file(${CMAKE_SOURCE_DIR}/pdp/client/pdp.pc.in ${CMAKE_BINARY_DIR}/lib${name}.pc @ONLY)
    install(FILES ${CMAKE_BINARY_DIR}/lib${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

set(PDP_KEEP pdp_err_name pdp_effect_name pdp_question_new pdp_answer_allows)
pdp_add_library(pdp_client_shared pdp "Asks a policy decision point over NNG" EXPORT pdp
    SOURCES ${client_sources} LINK floor2 nng_peer PkgConfig::libssl PkgConfig::libcrypto Threads::Threads KEEP ${PDP_KEEP})
pdp_add_library(pdp_engine_shared pdp-engine "Policy decisions in process" EXPORT engine
    SOURCES ${CMAKE_SOURCE_DIR}/pdp/engine/public.c LINK floor4 Threads::Threads KEEP ${PDP_KEEP})

set(PDP_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/pdp)
install(EXPORT pdp FILE pdpTargets.cmake NAMESPACE pdp:: DESTINATION ${PDP_CMAKE_DIR})
configure_package_config_file(${CMAKE_SOURCE_DIR}/pdp/client/pdpConfig.cmake.in ${CMAKE_BINARY_DIR}/pdpConfig.cmake
    INSTALL_DESTINATION ${PDP_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/pdpConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/pdpConfig.cmake ${CMAKE_BINARY_DIR}/pdpConfigVersion.cmake
    DESTINATION ${PDP_CMAKE_DIR})
install(FILES ${CMAKE_SOURCE_DIR}/docs/man/pdpctl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 OPTIONAL)
