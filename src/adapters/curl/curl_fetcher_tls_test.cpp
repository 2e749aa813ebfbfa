#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "adapters/curl/fetch_fixture.h"
#include "base/clock.h"
#include "support/certificate_maker.h"
#include "support/temporary_folder.h"

namespace quire::adapters::curl {
namespace {

using test_support::CertificateMaker;
using Identity = CertificateMaker::Identity;
using ::testing::HasSubstr;
using ::testing::Not;

class Tls : public FetchTest {
 protected:
  CertificateMaker::Spec spec(const std::string& name, bool is_authority = false) const {
    CertificateMaker::Spec spec;
    spec.common_name = name;
    spec.not_before = now_ - std::chrono::hours(24);
    spec.not_after = now_ + std::chrono::hours(24);
    spec.is_authority = is_authority;
    return spec;
  }
  CertificateMaker::Spec expired_spec(const std::string& name) const {
    auto expired = spec(name);
    expired.not_before = now_ - std::chrono::hours(72);
    expired.not_after = now_ - std::chrono::hours(48);
    return expired;
  }

  /// The test's authority becomes one of the server's roots.
  void trust(const Identity& authority) {
    options_.extra_ca_file = (folder_.path() / "roots.pem").string();
    std::ofstream(options_.extra_ca_file) << authority.pem();
  }

  FetchOutcome fetch_from(const ScriptedHttpServer& server, content::FetchTrust trust = {},
                          const std::string& host = "localhost") {
    sink_ = CollectingSink();
    content::FetchRequest request;
    request.url = server.url("/a.iso", host);
    request.trust = std::move(trust);
    return fetch(request);
  }
  void expect_content(const FetchOutcome& outcome) {
    EXPECT_EQ(outcome.failure, FetchFailure::none) << outcome.reason.default_message;
    EXPECT_EQ(sink_.taken, "content");
  }
  /// Refused, with everything a client needs to name the certificate the next time.
  void expect_refused(const FetchOutcome& outcome, const Identity& presented) {
    EXPECT_EQ(outcome.failure, FetchFailure::certificate) << outcome.reason.default_message;
    EXPECT_FALSE(outcome.worth_retrying);
    EXPECT_TRUE(sink_.begun.empty());
    ASSERT_TRUE(outcome.presented);
    EXPECT_EQ(outcome.presented->pem, presented.pem());
    EXPECT_EQ(outcome.presented->thumbprint_sha1.size(), 59U);
    EXPECT_EQ(outcome.presented->thumbprint_sha256.size(), 95U);
    EXPECT_THAT(outcome.reason.default_message, HasSubstr(outcome.presented->thumbprint_sha1));
    EXPECT_THAT(outcome.reason.default_message, HasSubstr("ssl_certificate_thumbprint"));
    EXPECT_THAT(outcome.reason.default_message, HasSubstr("ssl_certificate."));
  }
  /// Sends the thumbprints that a refusal told.
  std::vector<std::string> told_thumbprints(const ScriptedHttpServer& server) {
    const auto presented = fetch_from(server, {.certificate_pem = {}, .thumbprint = std::string(40, '0')}).presented;
    if (!presented) return {};
    return {presented->thumbprint_sha1, presented->thumbprint_sha256};
  }

  base::Time now_ = base::SystemClock().now();
  CertificateMaker maker_;
  Identity authority_ = maker_.self_signed(spec("test authority", true));
  Identity leaf_ = maker_.issued_by(authority_, spec("localhost"));
  test_support::TemporaryFolder folder_;
};

TEST_F(Tls, SystemRootsAloneDoNotTrustTheTestServer) {
  ScriptedHttpServer server(always(ok("content")), leaf_);
  expect_refused(fetch_from(server), leaf_);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(Tls, AConfiguredRootIsTrustedForTheRightNameAndTime) {
  trust(authority_);
  {
    ScriptedHttpServer server(always(ok("content")), leaf_);
    expect_content(fetch_from(server));
    expect_refused(fetch_from(server, {}, "127.0.0.1"), leaf_);  // another name
  }
  const auto other_name = maker_.issued_by(authority_, spec("other.example"));
  const auto expired = maker_.issued_by(authority_, expired_spec("localhost"));
  const auto self_signed = maker_.self_signed(spec("localhost"));
  for (const auto& identity : {other_name, expired, self_signed}) {
    ScriptedHttpServer server(always(ok("content")), identity);
    expect_refused(fetch_from(server), identity);
  }
}

TEST_F(Tls, AThumbprintAcceptsExactlyThatCertificateInEverySpelling) {
  for (const auto& identity : {leaf_, maker_.self_signed(expired_spec("other.example"))}) {
    ScriptedHttpServer server(always(ok("content")), identity);
    const auto thumbprints = told_thumbprints(server);
    ASSERT_EQ(thumbprints.size(), 2U);
    for (auto thumbprint : thumbprints) {
      for (const auto& host : {"localhost", "127.0.0.1"})
        expect_content(fetch_from(server, {.certificate_pem = {}, .thumbprint = thumbprint}, host));
      std::transform(thumbprint.begin(), thumbprint.end(), thumbprint.begin(), ::tolower);
      expect_content(fetch_from(server, {.certificate_pem = {}, .thumbprint = thumbprint}));
      std::erase(thumbprint, ':');
      expect_content(fetch_from(server, {.certificate_pem = {}, .thumbprint = thumbprint}));
    }
  }
}

TEST_F(Tls, AThumbprintAcceptsNothingElse) {
  trust(authority_);  // good by its chain, and yet not what was named
  ScriptedHttpServer server(always(ok("content")), leaf_);
  ScriptedHttpServer other(always(ok("content")), maker_.issued_by(authority_, spec("localhost")));
  for (const auto& thumbprint : told_thumbprints(other))
    expect_refused(fetch_from(server, {.certificate_pem = {}, .thumbprint = thumbprint}), leaf_);
}

TEST_F(Tls, APinnedCertificateIsAcceptedFromItsHost) {
  const auto unknown = maker_.self_signed(expired_spec("nobody"));
  ScriptedHttpServer server(always(ok("content")), unknown);
  const auto pin = [&](const std::string& host, const std::string& thumbprint) {
    options_.pins = *PinnedHosts::make(std::vector{host + "=" + thumbprint});
  };
  const auto told = told_thumbprints(server);
  ASSERT_EQ(told.size(), 2U);
  for (const auto& thumbprint : told) {
    pin("LOCALHOST", thumbprint);
    expect_content(fetch_from(server));
    pin("localhost:" + std::to_string(server.port()), thumbprint);
    expect_content(fetch_from(server));
  }
  ScriptedHttpServer leads_there(always(redirect_to(server.url("/a.iso", "localhost"))));
  expect_content(fetch_from(leads_there));
  pin("localhost:1", told[0]);
  expect_refused(fetch_from(server), unknown);
  pin("elsewhere", told[0]);
  expect_refused(fetch_from(server), unknown);
  pin("localhost", std::string(40, '0'));
  expect_refused(fetch_from(server), unknown);
  EXPECT_EQ(probe(server.url("/", "localhost")).failure, FetchFailure::certificate);
}

TEST_F(Tls, WhatTheRequestNamesWinsOverAPin) {
  trust(authority_);
  ScriptedHttpServer server(always(ok("content")), leaf_);
  const auto told = told_thumbprints(server);
  options_.pins = *PinnedHosts::make(std::vector{"localhost=" + told[0]});
  expect_refused(fetch_from(server, {.certificate_pem = {}, .thumbprint = std::string(40, '0')}), leaf_);
  options_.pins = *PinnedHosts::make(std::vector{"localhost=" + std::string(40, '0')});
  expect_refused(fetch_from(server), leaf_);  // the chain is not asked
  expect_content(fetch_from(server, {.certificate_pem = {}, .thumbprint = told[1]}));
  expect_content(fetch_from(server, {.certificate_pem = leaf_.pem(), .thumbprint = {}}));
}

TEST_F(Tls, AnUnreadableThumbprintOrPemConnectsNowhere) {
  ScriptedHttpServer server(always(ok("content")), leaf_);
  for (const char* thumbprint : {"", "nonsense", "AB:CD", "0123456789012345678901234567890123456789f"}) {
    const auto outcome = fetch_from(server, {.certificate_pem = {}, .thumbprint = thumbprint});
    EXPECT_EQ(outcome.failure, FetchFailure::certificate) << thumbprint;
    EXPECT_FALSE(outcome.worth_retrying);
    EXPECT_THAT(outcome.reason.default_message, HasSubstr("ssl_certificate_thumbprint"));
  }
  for (const char* pem : {"", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    const auto outcome = fetch_from(server, {.certificate_pem = pem, .thumbprint = {}});
    EXPECT_EQ(outcome.failure, FetchFailure::certificate) << pem;
    EXPECT_THAT(outcome.reason.default_message, HasSubstr("ssl_certificate"));
  }
  options_.extra_ca_file = (folder_.path() / "missing.pem").string();
  const auto outcome = fetch_from(server);
  EXPECT_EQ(outcome.failure, FetchFailure::certificate);
  EXPECT_THAT(outcome.reason.default_message, Not(HasSubstr(folder_.path().string())));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(Tls, ThePresentedLeafAsPemIsAcceptedWhateverItsNameAndDates) {
  for (const auto& identity : {leaf_, maker_.self_signed(expired_spec("other.example"))}) {
    ScriptedHttpServer server(always(ok("content")), identity);
    expect_content(fetch_from(server, {.certificate_pem = identity.pem(), .thumbprint = {}}));
    expect_content(fetch_from(server, {.certificate_pem = identity.pem(), .thumbprint = {}}, "127.0.0.1"));
    // The PEM comes before the thumbprint.
    expect_content(fetch_from(server, {.certificate_pem = identity.pem(), .thumbprint = std::string(40, '0')}));
  }
}

TEST_F(Tls, AnotherPemIsTheOnlyRoot) {
  ScriptedHttpServer server(always(ok("content")), leaf_);
  expect_content(fetch_from(server, {.certificate_pem = authority_.pem(), .thumbprint = {}}));
  expect_refused(fetch_from(server, {.certificate_pem = authority_.pem(), .thumbprint = {}}, "127.0.0.1"), leaf_);

  trust(authority_);  // counts no more once a PEM is given
  const auto stranger = maker_.self_signed(spec("test authority", true));
  expect_refused(fetch_from(server, {.certificate_pem = stranger.pem(), .thumbprint = {}}), leaf_);
  const auto sibling = maker_.issued_by(authority_, spec("localhost"));
  expect_refused(fetch_from(server, {.certificate_pem = sibling.pem(), .thumbprint = {}}), leaf_);

  const auto expired = maker_.issued_by(authority_, expired_spec("localhost"));
  ScriptedHttpServer old(always(ok("content")), expired);
  expect_refused(fetch_from(old, {.certificate_pem = authority_.pem(), .thumbprint = {}}), expired);
}

TEST_F(Tls, AnIntermediateAuthorityMayBeTheRoot) {
  const auto intermediate = maker_.issued_by(authority_, spec("intermediate", true));
  const auto leaf = maker_.issued_by(intermediate, spec("localhost"));
  ScriptedHttpServer server(always(ok("content")), leaf);
  expect_content(fetch_from(server, {.certificate_pem = intermediate.pem(), .thumbprint = {}}));
}

TEST_F(Tls, ProbeTellsTheCertificate) {
  ScriptedHttpServer server(always(ok("")), leaf_);
  auto outcome = probe(server.url("/", "localhost"));
  EXPECT_EQ(outcome.failure, FetchFailure::certificate);
  ASSERT_TRUE(outcome.presented);
  EXPECT_EQ(outcome.presented->pem, leaf_.pem());
  trust(authority_);
  outcome = probe(server.url("/", "localhost"));
  EXPECT_EQ(outcome.failure, FetchFailure::none);
  ASSERT_TRUE(outcome.presented);
  EXPECT_EQ(outcome.presented->pem, leaf_.pem());
}

TEST_F(Tls, ARedirectFromHttpsToHttpIsRefused) {
  trust(authority_);
  ScriptedHttpServer plain(always(ok("content")));
  ScriptedHttpServer server(always(redirect_to(plain.url("/"))), leaf_);
  const auto outcome = fetch_from(server);
  EXPECT_EQ(outcome.failure, FetchFailure::redirect);
  EXPECT_FALSE(outcome.worth_retrying);
  EXPECT_TRUE(plain.requests().empty());
}

TEST_F(Tls, ARedirectFromHttpToHttpsIsFollowedAndItsCertificateChecked) {
  ScriptedHttpServer server(always(ok("content")), leaf_);
  ScriptedHttpServer plain(always(redirect_to(server.url("/", "localhost"))));
  expect_refused(fetch_from(plain), leaf_);
  trust(authority_);
  expect_content(fetch_from(plain));
}

// The end of a TLS stream that nobody announced may be an attacker's cut.
TEST_F(Tls, AnEndWithoutClosingAlertIsBroken) {
  trust(authority_);
  {
    ScriptedHttpServer server(always("HTTP/1.1 200 OK\r\n\r\ncontent"), leaf_);
    EXPECT_EQ(fetch_from(server).failure, FetchFailure::broken);
  }
  ScriptedHttpServer server(
      [](const Request&, Connection& connection) {
        connection.send("HTTP/1.1 200 OK\r\n\r\ncontent");
        connection.end_tls();
      },
      leaf_);
  expect_content(fetch_from(server));
}

TEST_F(Tls, APlainServerIsNoTlsServer) {
  ScriptedHttpServer server([](const Request&, Connection& connection) { connection.send(ok("content")); });
  content::FetchRequest request;
  request.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
  // The script never sees a request: the server waits for the end of a head that does not come.
  options_.connect_timeout = std::chrono::milliseconds(100);
  const auto outcome = fetch(request);
  EXPECT_EQ(outcome.failure, FetchFailure::timed_out) << outcome.reason.default_message;
  EXPECT_TRUE(outcome.worth_retrying);
}

TEST_F(Tls, GoesThroughAProxysTunnel) {
  ScriptedHttpServer proxy([&](const Request& request, Connection& connection) {
    if (request.method != "CONNECT") return;
    connection.send("HTTP/1.1 200 Connected\r\nETag: \"of the proxy\"\r\n\r\n");
    if (!connection.start_tls(leaf_)) return;
    if (connection.read_request()) connection.send(ok("content"));
  });
  setenv("https_proxy", ("http://127.0.0.1:" + std::to_string(proxy.port())).c_str(), 1);
  content::FetchRequest request;
  request.url = "https://localhost/a.iso";
  expect_refused(fetch(request), leaf_);
  trust(authority_);
  expect_content(fetch(request));
  EXPECT_EQ(sink_.begun.at(0).validator, "");
  EXPECT_EQ(proxy.requests().at(0).target, "localhost:443");
  unsetenv("https_proxy");
}

}  // namespace
}  // namespace quire::adapters::curl
