#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/s3/s3_object_store.h"
#include "base/digest.h"
#include "suites/object_store_suite.h"
#include "support/temporary_folder.h"

namespace quire::test_suites {
namespace {

namespace s3 = adapters::s3;

const s3::Credentials test_credentials{"quire-test", "secret-of-the-test", ""};

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

/// Nobody holds it meanwhile, so another process may take it: who uses it looks whether it does.
int free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t length = sizeof address;
  const bool found = ::bind(listener, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  ::close(listener);
  if (!found) throw std::runtime_error("no free port on 127.0.0.1");
  return ntohs(address.sin_port);
}

/// A versitygw of this process alone, with one bucket, in a temporary folder.
class S3Server {
 public:
  /// nullptr when it cannot be had; `why` says what is missing. Takes proxies out of the environment.
  static std::unique_ptr<S3Server> start(std::string& why) {
    for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
    if (::access(QUIRE_VERSITYGW, X_OK) != 0) {
      why = "versitygw, an S3 server, is not installed: run tools/install-clients versitygw";
      return nullptr;
    }
    constexpr int tries = 5;
    for (int i = 0; i < tries; ++i) {
      std::unique_ptr<S3Server> server(new S3Server());
      if (server->answers()) return server;
    }
    throw std::runtime_error("versitygw does not start");
  }
  S3Server(const S3Server&) = delete;
  S3Server& operator=(const S3Server&) = delete;
  ~S3Server() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::filesystem::path bucket() const { return folder_.path() / "objects" / "bucket"; }

 private:
  S3Server() {
    std::filesystem::create_directories(bucket());
    std::filesystem::create_directories(sidecar_);
    const std::string address = "127.0.0.1:" + std::to_string(port_);
    const auto objects = (folder_.path() / "objects").string();
    process_ = ::fork();
    if (process_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int silence = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO}) ::dup2(silence, stream);
    ::setenv("ROOT_ACCESS_KEY_ID", test_credentials.access_key_id.c_str(), 1);
    ::setenv("ROOT_SECRET_ACCESS_KEY", test_credentials.secret_access_key.c_str(), 1);
    // The sidecar folder spares extended attributes, which not every temporary folder has.
    ::execl(QUIRE_VERSITYGW, QUIRE_VERSITYGW, "--port", address.c_str(), "--keep-alive", "--quiet", "posix",
            "--sidecar", sidecar_.c_str(), objects.c_str(), nullptr);
    ::_exit(1);
  }

  bool answers() const {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < give_up && ::waitpid(process_, nullptr, WNOHANG) == 0) {
      const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const auto address = loopback(port_);
      const bool connected = ::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
      ::close(client);
      if (connected) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }

  const test_support::TemporaryFolder folder_;
  const std::string sidecar_ = (folder_.path() / "sidecar").string();
  const int port_ = free_port();
  pid_t process_ = -1;
};

/// The one that all tests share.
const S3Server* shared_server(std::string& why) {
  static std::string why_not;
  static const auto server = S3Server::start(why_not);
  why = why_not;
  return server.get();
}

s3::S3Options options_for(const S3Server& server) {
  std::signal(SIGPIPE, SIG_IGN);
  s3::S3Options options;
  options.endpoint = server.url();
  options.bucket = "bucket";
  options.credentials = [] { return test_credentials; };
  options.wait = [](base::Duration) {};
  return options;
}

/// A prefix of its own in the bucket.
class S3Place final : public ObjectStorePlace {
 public:
  static std::unique_ptr<ObjectStorePlace> make(std::string& why) {
    const auto* server = shared_server(why);
    if (server == nullptr) return nullptr;
    return std::make_unique<S3Place>(*server);
  }

  explicit S3Place(const S3Server& server) {
    static int places = 0;
    auto options = options_for(server);
    options.key_prefix = "Place-" + std::to_string(++places) + "/all*(of_it)'!/";  // what has to be encoded, too
    options.page_objects_max = 3;
    auto store = s3::make_s3_object_store(std::move(options), clock_, identities_);
    if (!store) throw std::runtime_error(store.error().text());
    store_ = *std::move(store);
  }

  content::ObjectStore& store() override { return *store_; }

 private:
  base::SystemClock clock_;
  base::RandomIdentitySource identities_;
  std::unique_ptr<content::ObjectStore> store_;
};

INSTANTIATE_TEST_SUITE_P(S3, ObjectStoreSuite, testing::Values(ObjectStoreAdapter{"Versitygw", &S3Place::make}),
                         [](const auto& row) { return row.param.name; });

/// What a real server says to settings that are wrong; a large body must not hide it.
TEST(S3Settings, MistakesAreTold) {
  std::string why;
  const auto* server = shared_server(why);
  if (server == nullptr) GTEST_SKIP() << why;
  const auto reason_of = [&](const std::function<void(s3::S3Options&)>& mistake) {
    auto options = options_for(*server);
    mistake(options);
    base::SystemClock clock;
    base::RandomIdentitySource identities;
    const auto store = s3::make_s3_object_store(std::move(options), clock, identities);
    if (!store) return store.error().text();
    const std::vector<std::byte> bytes(8U << 20U);
    const auto stored = (*store)->put("mistake", bytes, base::digest_of(base::DigestAlgorithm::SHA256, bytes).hex);
    EXPECT_EQ(stored ? base::ErrorKind::error : stored.error().kind(), base::ErrorKind::service_unavailable);
    return stored ? "" : stored.error().text();
  };
  using testing::HasSubstr;
  EXPECT_THAT(reason_of([](auto& options) { options.bucket = "no-bucket"; }), HasSubstr("NoSuchBucket"));
  // AWS says 403 InvalidAccessKeyId; this 404 is of no object.
  EXPECT_THAT(reason_of([](auto& options) {
                options.credentials = [] { return s3::Credentials{test_credentials.access_key_id, "wrong", ""}; };
              }),
              HasSubstr("SignatureDoesNotMatch"));
  EXPECT_THAT(
      reason_of([](auto& options) { options.credentials = [] { return s3::Credentials{"nobody", "wrong", ""}; }; }),
      HasSubstr("404 XAdminUserNotFound"));
  EXPECT_THAT(reason_of([](auto& options) { options.region = "eu-west-1"; }), HasSubstr("region us-east-1"));
}

}  // namespace
}  // namespace quire::test_suites
