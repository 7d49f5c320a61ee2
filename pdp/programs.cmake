# SPDX-License-Identifier: Apache-2.0
# The shared libraries, the two programs, and what `cmake --install` puts where.

if(client_sources)
    add_library(client_objects STATIC ${client_sources})
    target_link_libraries(client_objects PUBLIC floor2 nng_peer Threads::Threads)
endif()
pdp_add_program(pdpd daemon floor5 Threads::Threads)
if(client_sources)
    pdp_add_program(pdpctl cli floor4 client_objects PkgConfig::jansson)
endif()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/pdp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
