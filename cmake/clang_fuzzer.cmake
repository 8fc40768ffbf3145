# SPDX-License-Identifier: Apache-2.0
# clang_fuzzer(name SOURCES a.cc ... PLAIN_SOURCES b.cc ... INCLUDES dir ... LIBRARIES -lx ...)
#
# A libFuzzer program, built by clang++ whatever compiler builds the rest: each source of its own again, with the
# fuzzer's counters and the address and undefined-behaviour sanitizers; PLAIN_SOURCES (generated code, and the judge,
# which is not to be explored) without. Where clang++ or its fuzzer library is missing there is no such target.
# DEPENDS: what must be generated first. Sources are relative to the folder that calls.
find_program(NIGHTSHIFT_CLANGXX NAMES clang++ clang++-14)
if(NIGHTSHIFT_CLANGXX)
  file(WRITE ${CMAKE_BINARY_DIR}/fuzzer_probe.cc
    "extern \"C\" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n")
  execute_process(
    COMMAND ${NIGHTSHIFT_CLANGXX} -fsanitize=fuzzer,address,undefined ${CMAKE_BINARY_DIR}/fuzzer_probe.cc
            -o ${CMAKE_BINARY_DIR}/fuzzer_probe
    RESULT_VARIABLE probe_result OUTPUT_QUIET ERROR_QUIET)
endif()
if(NIGHTSHIFT_CLANGXX AND probe_result EQUAL 0)
  set(NIGHTSHIFT_HAS_FUZZER TRUE)
else()
  set(NIGHTSHIFT_HAS_FUZZER FALSE)
  message(STATUS "no libFuzzer (packages clang and libclang-rt-dev): the corpus is tested, nothing is fuzzed")
endif()

function(clang_fuzzer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PLAIN_SOURCES;INCLUDES;LIBRARIES;DEPENDS" ${ARGN})
  set(common -std=c++20 -O2 -g1 -fno-math-errno -w)
  foreach(include IN LISTS ARG_INCLUDES)
    list(APPEND common -I${include})
  endforeach()
  set(hardened -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  set(objects)
  foreach(source IN LISTS ARG_SOURCES ARG_PLAIN_SOURCES)
    set(flags ${common})
    if(source IN_LIST ARG_SOURCES)
      list(APPEND flags ${hardened} -fsanitize=fuzzer-no-link)
    endif()
    cmake_path(ABSOLUTE_PATH source)
    cmake_path(GET source FILENAME file)
    string(SHA1 hash ${source})
    string(SUBSTRING ${hash} 0 8 hash)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.dir/${hash}-${file}.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${NIGHTSHIFT_CLANGXX} ${flags} -MD -MF ${object}.d -c ${source} -o ${object}
      DEPENDS ${source} ${ARG_DEPENDS} DEPFILE ${object}.d VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${name}.dir)
  set(program ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${name})
  add_custom_command(OUTPUT ${program}
    COMMAND ${NIGHTSHIFT_CLANGXX} ${hardened} -fsanitize=fuzzer ${objects} ${ARG_LIBRARIES} -o ${program}
    DEPENDS ${objects} VERBATIM)
  add_custom_target(${name} ALL DEPENDS ${program})
endfunction()
