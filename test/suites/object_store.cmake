quire_test(object_store_suite SOURCES object_store_suite.cpp object_store_suite_memory.cpp object_store_suite_s3.cpp
  LIBRARIES quire_adapters_s3)
target_compile_definitions(object_store_suite PRIVATE "QUIRE_VERSITYGW=\"${CMAKE_SOURCE_DIR}/build/clients/versitygw\"")
