#include "adapters/curl/kept_links.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "adapters/curl/curl_library.h"

namespace quire::adapters::curl {
namespace {

using namespace std::chrono_literals;

/// A link whose connection is one end of a pair of sockets.
class KeptLinksTest : public ::testing::Test {
 protected:
  KeptLinksTest() {
    set_up_libcurl();
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0);
  }
  ~KeptLinksTest() override {
    for (const int end : ends_) close(end);
  }

  std::unique_ptr<Link> link(const LinkPurpose& purpose) const {
    auto made = std::make_unique<Link>(purpose, *CertificateCheck::make({}, ""));
    made->socket = ends_[0];
    return made;
  }

  const LinkPurpose purpose_{"https://host:443", "", {}};
  std::array<int, 2> ends_{-1, -1};
};

TEST_F(KeptLinksTest, HandsOutWhatWasGivenOnce) {
  KeptLinks links;
  EXPECT_EQ(links.take(purpose_), nullptr);
  auto given = link(purpose_);
  const auto* it = given.get();
  links.give(std::move(given));
  EXPECT_EQ(links.take(purpose_).get(), it);
  EXPECT_EQ(links.take(purpose_), nullptr);
}

TEST_F(KeptLinksTest, AnotherPurposeGetsNone) {
  KeptLinks links;
  links.give(link(purpose_));
  for (const auto& other :
       {LinkPurpose{"https://host:444", "", {}}, LinkPurpose{"http://host:443", "", {}},
        LinkPurpose{"https://host:443", "http://proxy:3128", {}},
        LinkPurpose{"https://host:443", "", {.certificate_pem = "", .thumbprint = {}}},
        LinkPurpose{"https://host:443", "", {.certificate_pem = {}, .thumbprint = std::string(40, '0')}}})
    EXPECT_EQ(links.take(other), nullptr) << other.origin;
  EXPECT_NE(links.take(purpose_), nullptr);
}

TEST_F(KeptLinksTest, TheOneThatWaitsLongestMakesRoom) {
  KeptLinks links({.most = 2, .idle_time = 1h, .life_time = 1h});
  for (const char* origin : {"http://a:80", "http://b:80", "http://c:80"}) links.give(link({origin, "", {}}));
  EXPECT_EQ(links.take({"http://a:80", "", {}}), nullptr);
  EXPECT_NE(links.take({"http://b:80", "", {}}), nullptr);
  EXPECT_NE(links.take({"http://c:80", "", {}}), nullptr);
}

TEST_F(KeptLinksTest, WhatIsTooOldIsGone) {
  KeptLinks idle({.most = 2, .idle_time = 0ms, .life_time = 1h});
  idle.give(link(purpose_));
  EXPECT_EQ(idle.take(purpose_), nullptr);
  KeptLinks living({.most = 2, .idle_time = 1h, .life_time = 0ms});
  living.give(link(purpose_));
  EXPECT_EQ(living.take(purpose_), nullptr);
}

TEST_F(KeptLinksTest, WhatIsClosedOrSpeaksUnaskedIsGone) {
  KeptLinks links;
  auto closed = link(purpose_);
  closed->socket = CURL_SOCKET_BAD;
  links.give(std::move(closed));
  EXPECT_EQ(links.take(purpose_), nullptr);

  links.give(link(purpose_));
  ASSERT_EQ(send(ends_[1], "HTTP", 4, MSG_NOSIGNAL), 4);
  EXPECT_EQ(links.take(purpose_), nullptr);

  std::array<char, 4> received{};
  ASSERT_EQ(recv(ends_[0], received.data(), received.size(), 0), 4);
  links.give(link(purpose_));
  ASSERT_EQ(shutdown(ends_[1], SHUT_WR), 0);
  EXPECT_EQ(links.take(purpose_), nullptr);
}

}  // namespace
}  // namespace quire::adapters::curl
