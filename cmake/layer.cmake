# SPDX-License-Identifier: Apache-2.0
# layer(name SOURCES a.cc ... USES core safety LINKS PRIVATE_LIBRARY ...)
#
# One static library per folder. Only the headers of the layers that it links are visible to it: each layer's folder is
# linked into an include root of its own, and there is no include path to the source tree. A name in USES that is not
# yet a target is an error, so that with the bottom-up order of CMakeLists.txt no cycle and no upward use can be written.
function(layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LINKS;PUBLIC_LINKS" ${ARGN})
  foreach(used IN LISTS ARG_USES)
    if(NOT TARGET ${used})
      message(FATAL_ERROR "${name} uses ${used}, which is not listed above it in CMakeLists.txt")
    endif()
  endforeach()
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set(include_root ${PROJECT_BINARY_DIR}/include/${name})
  get_filename_component(parent ${include_root}/${folder} DIRECTORY)
  file(MAKE_DIRECTORY ${parent})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${include_root}/${folder} SYMBOLIC)
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${include_root})
  target_link_libraries(${name} PUBLIC nightshift_options ${ARG_USES} ${ARG_PUBLIC_LINKS} PRIVATE ${ARG_LINKS})
endfunction()
