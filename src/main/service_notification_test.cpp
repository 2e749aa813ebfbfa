#include "main/service_notification.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace quire::main {
namespace {

/// What arrives at a socket of that name, as `NOTIFY_SOCKET` writes it.
std::string told(const std::string& name, const std::string& state) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
            0);
  ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  notify_service_manager(state);
  ::unsetenv("NOTIFY_SOCKET");
  std::array<char, 64> buffer{};
  const auto got = ::recv(socket, buffer.data(), buffer.size(), 0);
  ::close(socket);
  return got < 0 ? "nothing" : std::string(buffer.data(), static_cast<std::size_t>(got));
}

TEST(ServiceNotificationTest, TellsASocketInAFolderAndAnAbstractOne) {
  const auto path = "/tmp/quire-notify-" + std::to_string(::getpid());
  EXPECT_EQ(told(path, "READY=1"), "READY=1");
  ::unlink(path.c_str());
  EXPECT_EQ(told("@quire-notify-" + std::to_string(::getpid()), "STOPPING=1"), "STOPPING=1");
}

TEST(ServiceNotificationTest, IsSilentWithoutAServiceManager) {
  ::unsetenv("NOTIFY_SOCKET");
  notify_service_manager("READY=1");
  ::setenv("NOTIFY_SOCKET", "/nobody/listens", 1);
  notify_service_manager("READY=1");
  ::setenv("NOTIFY_SOCKET", std::string(500, 'x').c_str(), 1);
  notify_service_manager("READY=1");
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace quire::main
