# SPDX-License-Identifier: Apache-2.0
# The shared libraries, the two programs, and what `cmake --install` puts where.

if(client_sources)
    add_library(client_objects STATIC ${client_sources})
    target_link_libraries(client_objects PUBLIC floor2 nng_peer PkgConfig::libssl PkgConfig::libcrypto Threads::Threads)
endif()
# All of pdpd but its main: the echo of tests/bench runs on the same loop.
file(GLOB_RECURSE daemon_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/pdp/daemon/*.c)
list(FILTER daemon_sources EXCLUDE REGEX "/main\\.c$")
add_library(daemon_objects STATIC ${daemon_sources})
target_link_libraries(daemon_objects PUBLIC floor5 PkgConfig::libssl PkgConfig::libmicrohttpd PkgConfig::libcurl Threads::Threads)
if(EXISTS ${CMAKE_SOURCE_DIR}/pdp/daemon/main.c)
    add_executable(pdpd ${CMAKE_SOURCE_DIR}/pdp/daemon/main.c)
    target_link_libraries(pdpd PRIVATE adapters_all daemon_objects)
    install(TARGETS pdpd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(FILES ${CMAKE_SOURCE_DIR}/pdp/daemon/pdpd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
    # The unit names the program where it was installed to: the prefix is known then, not before.
    install(CODE "
        file(READ \"${CMAKE_SOURCE_DIR}/pdp/daemon/pdpd.service\" unit)
        string(REPLACE \"=/usr/bin/pdpd\" \"=\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/pdpd\" unit \"\${unit}\")
        file(WRITE \"${CMAKE_BINARY_DIR}/pdpd.service\" \"\${unit}\")")
    install(FILES ${CMAKE_BINARY_DIR}/pdpd.service DESTINATION lib/systemd/system)
    install(DIRECTORY ${CMAKE_SOURCE_DIR}/policies/baseline ${CMAKE_SOURCE_DIR}/policies/scenarios DESTINATION ${CMAKE_INSTALL_DATADIR}/pdp/policies)
    install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
    install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN man EXCLUDE)
endif()
if(client_sources)
    # All of pdpctl but its main: tests look into it. Both programs read policy folders.
    file(GLOB_RECURSE cli_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/pdp/cli/*.c)
    list(FILTER cli_sources EXCLUDE REGEX "/main\\.c$")
    file(GLOB_RECURSE templates CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/policies/templates/*)
    add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/templates.c DEPENDS ${templates} ${CMAKE_SOURCE_DIR}/pdp/templates.cmake
        COMMAND ${CMAKE_COMMAND} -DFROM=${CMAKE_SOURCE_DIR}/policies/templates -DOUT=${CMAKE_BINARY_DIR}/templates.c
                -P ${CMAKE_SOURCE_DIR}/pdp/templates.cmake)
    add_library(cli_objects STATIC ${cli_sources} ${CMAKE_BINARY_DIR}/templates.c ${CMAKE_SOURCE_DIR}/pdp/daemon/folder.c ${CMAKE_SOURCE_DIR}/pdp/daemon/file.c)
    target_link_libraries(cli_objects PUBLIC floor5 client_objects PkgConfig::jansson Threads::Threads m)
    target_compile_definitions(cli_objects PRIVATE PDP_DOCS="${CMAKE_INSTALL_FULL_DOCDIR}") # pages of findings
    add_executable(pdpctl  ${CMAKE_SOURCE_DIR}/pdp/cli/main.c)
    target_link_libraries(pdpctl PRIVATE cli_objects)
    install(TARGETS pdpctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
include(${CMAKE_SOURCE_DIR}/pdp/libraries.cmake)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/pdp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
