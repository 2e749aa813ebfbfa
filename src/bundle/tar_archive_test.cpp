#include "bundle/tar_archive.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace quire::bundle {
namespace {

TEST(TarArchive, HasHeadersAndPaddingOfUstar) {
  const auto archive = tar_archive({{"README.txt", "hello\n"}, {"log/server.log", std::string(513, 'x')}},
                                   base::Time(base::Duration(1'000)));
  ASSERT_EQ(archive.size(), 512U * (1 + 1 + 1 + 2 + 2));
  EXPECT_EQ(archive.substr(0, 11), std::string("README.txt\0", 11));
  EXPECT_EQ(archive.substr(100, 8), std::string("0000600\0", 8));
  EXPECT_EQ(archive.substr(124, 12), std::string("00000000006\0", 12));
  EXPECT_EQ(archive.substr(136, 12), std::string("00000000001\0", 12));
  EXPECT_EQ(archive.substr(257, 8), std::string("ustar\00000", 8));
  EXPECT_EQ(archive.substr(512, 6), "hello\n");
  // The sum of the header's bytes, its own field taken as blanks.
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(archive[i]);
  EXPECT_EQ(std::strtoul(archive.substr(148, 6).c_str(), nullptr, 8), sum);
  EXPECT_EQ(archive.substr(1024, 14), "log/server.log");
  EXPECT_EQ(archive.find_first_not_of('\0', 1024 + 512 + 513), std::string::npos) << "two empty blocks at the end";
}

}  // namespace
}  // namespace quire::bundle
