add_executable(catalog_suite catalog_suite.cpp catalog_suite_contradictions.cpp catalog_suite_sqlite.cpp catalog_suite_postgresql.cpp)
target_link_libraries(catalog_suite PRIVATE quire_adapters_sql quire_test_flags GTest::gtest_main)
target_compile_options(catalog_suite PRIVATE -fno-sanitize=vptr)  # as in quire_adapters_sql
add_test(NAME catalog_suite_sqlite COMMAND catalog_suite --gtest_filter=Sqlite*)
add_test(NAME catalog_suite_postgresql
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/with-postgresql $<TARGET_FILE:catalog_suite> --gtest_filter=Postgresql*)
