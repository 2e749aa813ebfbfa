add_executable(authenticator_suite authenticator_suite.cpp authenticator_suite_catalog.cpp authenticator_suite_scripted.cpp)
target_link_libraries(authenticator_suite PRIVATE quire_test_support quire_test_flags GTest::gtest_main)
add_test(NAME authenticator_suite COMMAND authenticator_suite --gtest_filter=-Postgresql*)
add_test(NAME authenticator_suite_postgresql
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/with-postgresql $<TARGET_FILE:authenticator_suite> --gtest_filter=Postgresql*)
