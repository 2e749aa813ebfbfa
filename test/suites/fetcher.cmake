quire_test(fetcher_suite
  SOURCES fetcher_suite.cpp fetcher_suite_curl.cpp fetcher_suite_files.cpp fetcher_suite_scripted.cpp
  LIBRARIES quire_adapters_curl quire_adapters_files OpenSSL::SSL OpenSSL::Crypto)
