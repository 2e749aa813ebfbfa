#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "adapters/s3/s3_object_store.h"
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
  /// nullptr when it cannot be had; `why` says what is missing.
  static std::unique_ptr<S3Server> start(std::string& why) {
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

/// A prefix of its own in the bucket of a server that all tests share.
class S3Place final : public ObjectStorePlace {
 public:
  static std::unique_ptr<ObjectStorePlace> make(std::string& why) {
    static std::string why_not;
    static const auto server = S3Server::start(why_not);
    why = why_not;
    if (!server) return nullptr;
    return std::make_unique<S3Place>(*server);
  }

  explicit S3Place(const S3Server& server) {
    static int places = 0;
    std::signal(SIGPIPE, SIG_IGN);
    s3::S3Options options;
    options.endpoint = server.url();
    options.bucket = "bucket";
    options.key_prefix = "Place-" + std::to_string(++places) + "/all*(of_it)'!/";  // what has to be encoded, too
    options.credentials = [] { return test_credentials; };
    options.wait = [](base::Duration) {};
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

}  // namespace
}  // namespace quire::test_suites
