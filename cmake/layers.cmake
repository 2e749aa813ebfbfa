# One static library per folder of src. Its link list is its permission list: tools/check-includes checks that
# the #include lines agree.

add_library(quire_flags INTERFACE)
target_compile_options(quire_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns wrongly inside the standard library at -O2 (GCC bugs 105329, 105651, 107852, 104475).
  target_compile_options(quire_flags INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds -Wno-maybe-uninitialized
    -Wno-dangling-pointer -Wno-stringop-overread -Wno-free-nonheap-object)
  # Sources that are compiled as one look like headers to it, whose coroutines must not hold types of anonymous namespaces.
  target_compile_options(quire_flags INTERFACE -Wno-subobject-linkage)
else()
  add_link_options(-fuse-ld=lld-19)
endif()
if(QUIRE_SANITIZE)
  add_compile_options(-fsanitize=${QUIRE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${QUIRE_SANITIZE})
endif()

# What a test program is made of, besides what it tests. Its own files are not optimised: they took more time to compile than
# everything they test (catalog_suite.cpp: 53 s with -O2 -g, 12 s with these), and run once.
add_library(quire_test_flags INTERFACE)
target_compile_options(quire_test_flags INTERFACE $<$<CONFIG:RelWithDebInfo>:-O0> $<$<CONFIG:RelWithDebInfo>:-g1>)
target_include_directories(quire_test_flags INTERFACE ${CMAKE_SOURCE_DIR}/test)
target_link_libraries(quire_test_flags INTERFACE GTest::gmock GTest::gtest quire_flags)

# quire_layer(NAME [LAYERS other layers...] [LIBRARIES outside libraries...])
# Takes every *.cpp of the folder; *_test.cpp become the layer's own unit test program.
function(quire_layer name)
  cmake_parse_arguments(LAYER "" "" "LAYERS;LIBRARIES;TEST_LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  file(GLOB tests CONFIGURE_DEPENDS *_test.cpp)
  if(tests)
    list(REMOVE_ITEM sources ${tests})
  endif()
  add_library(quire_${name} STATIC ${sources})
  target_include_directories(quire_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM LAYER_LAYERS PREPEND quire_)
  target_link_libraries(quire_${name} PUBLIC ${LAYER_LAYERS} ${LAYER_LIBRARIES} PRIVATE quire_flags)
  if(tests)
    quire_test(${name}_test SOURCES ${tests} LIBRARIES quire_${name} ${LAYER_TEST_LIBRARIES})
  endif()
endfunction()

# quire_test(NAME SOURCES files... LIBRARIES targets...): a GoogleTest program and one ctest entry.
function(quire_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  # Each file has its own names for what it tries, which would have to differ if they were compiled as one.
  set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
  target_link_libraries(${name} PRIVATE ${TEST_LIBRARIES} quire_test_flags GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
endfunction()
