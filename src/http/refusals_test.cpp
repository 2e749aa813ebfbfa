#include <gmock/gmock.h>

#include "http/http_fixture.h"

namespace quire::http {
namespace {

/// What the RFCs say a server must or should refuse, or must take; each row on a connection of its own.
struct Row {
  const char* section;
  const char* what;
  std::string request;
  int status;
};

std::string get(const std::string& fields) { return "GET /x HTTP/1.1\r\n" + fields + "\r\n"; }

std::string post(const std::string& fields, const std::string& body = {}) {
  return "POST /x HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}

std::string chunked(const std::string& body) { return post("Transfer-Encoding: chunked\r\n", body); }

std::vector<Row> rows() {
  using std::string_literals::operator""s;
  return {
      {"9112 2.2", "empty lines before the request are passed over", "\r\n\r\n" + get("Host: h\r\n"), 200},
      {"9112 2.2", "lines that end with LF alone", "GET /x HTTP/1.1\nHost: h\n\n", 400},
      {"9112 2.2", "one of them", "GET /x HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", 400},
      {"9112 2.2", "bare CR in the request line", "GET /x HTTP/1.1\r\r\nHost: h\r\n\r\n", 400},
      {"9112 2.2", "bare CR in a field", get("Host: h\r\nA: b\rc\r\n"), 400},
      {"9112 2.2", "blank before the first field", "GET /x HTTP/1.1\r\n A: b\r\nHost: h\r\n\r\n", 400},
      {"9112 2.3", "name of the protocol in small letters", "GET /x http/1.1\r\nHost: h\r\n\r\n", 400},
      {"9112 2.3", "version of one number", "GET /x HTTP/1\r\nHost: h\r\n\r\n", 400},
      {"9112 2.3", "version of two digits", "GET /x HTTP/1.10\r\nHost: h\r\n\r\n", 400},
      {"9112 2.3", "another protocol", "GET /x FTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9110 2.5", "a later minor version", "GET /x HTTP/1.2\r\nHost: h\r\n\r\n", 200},
      {"9110 15.6.6", "another major version", "GET /x HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"9110 15.6.6", "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"9110 15.6.6", "HTTP/0.9 by name", "GET /x HTTP/0.9\r\n\r\n", 505},
      {"9112 3", "no version", "GET /x\r\nHost: h\r\n\r\n", 400},
      {"9112 3", "nothing but blanks", "   \r\nHost: h\r\n\r\n", 400},
      {"9112 3", "two blanks", "GET  /x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9112 3", "a tab for a blank", "GET\t/x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9112 3", "a blank at the end", "GET /x HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
      {"9112 3.1", "a method that is no token", "G(T /x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9112 3.1", "no method", " /x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9112 3.2", "a blank in the target", "GET /x y HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9112 3.2", "a control character in the target", "GET /x\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9112 3.2", "NUL in the target", "GET /x\0 HTTP/1.1\r\nHost: h\r\n\r\n"s, 400},
      {"9112 3.2", "a fragment", "GET /x#y HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9112 3.2", "no Host", get(""), 400},
      {"9112 3.2", "no Host, with a body", "POST /x HTTP/1.1\r\nContent-Length: 1\r\n\r\na", 400},
      {"9112 3.2", "no Host in HTTP/1.0", "GET /x HTTP/1.0\r\n\r\n", 200},
      {"9112 3.2", "no Host beside an absolute target", "GET http://h/x HTTP/1.1\r\n\r\n", 400},
      {"9112 3.2", "two Hosts", get("Host: h\r\nHost: h\r\n"), 400},
      {"9112 3.2", "two Hosts in HTTP/1.0", "GET /x HTTP/1.0\r\nHost: h\r\nHost: i\r\n\r\n", 400},
      {"9112 3.2", "a list of Hosts", get("Host: h, i\r\n"), 400},
      {"9112 3.2", "a Host with a path", get("Host: h/x\r\n"), 400},
      {"9112 3.2", "a Host with a user", get("Host: u@h\r\n"), 400},
      {"9112 3.2", "a Host with two ports", get("Host: h:1:2\r\n"), 400},
      {"9112 3.2", "a Host with a port that is none", get("Host: h:a\r\n"), 400},
      {"9112 3.2", "a port alone", get("Host: :80\r\n"), 400},
      {"9112 3.2", "an IPv6 address without brackets", get("Host: ::1\r\n"), 400},
      {"9112 3.2", "a blank inside", get("Host: h h\r\n"), 400},
      {"9112 3.2", "an invalid Host beside an absolute target", "GET http://h/x HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"9112 3.2", "an empty Host", get("Host:\r\n"), 200},
      {"9112 3.2", "an IPv6 Host", get("Host: [::1]:8443\r\n"), 200},
      {"9112 3.2.1", "a target without a slash", "GET x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9112 3.2.2", "an absolute target", "GET http://other/x HTTP/1.1\r\nHost: h\r\n\r\n", 200},
      {"9112 3.2.2", "an absolute target of another scheme", "GET ftp://other/x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9110 4.2.1", "an absolute target without a host", "GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9110 4.2.4", "an absolute target with a user", "GET http://u:p@h/x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9112 3.2.3", "an authority for a target", "GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9110 9.3.6", "CONNECT without a port", "CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9110 9.3.6", "CONNECT with an empty port", "CONNECT h: HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9110 9.3.6", "CONNECT with an impossible port", "CONNECT h:65536 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9110 9.3.6", "CONNECT with a path", "CONNECT /x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9110 15.6.2", "CONNECT, which is not there", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 501},
      {"9112 3.2.4", "an asterisk but for OPTIONS", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"9112 3.2.4", "an asterisk for OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 200},
      {"9112 5", "a line without a colon", get("Host: h\r\nA\r\n"), 400},
      {"9112 5", "a field without a name", get("Host: h\r\n: a\r\n"), 400},
      {"9112 5.1", "a blank before the colon", get("Host : h\r\n"), 400},
      {"9112 5.1", "a tab before the colon", get("Host: h\r\nContent-Length\t: 1\r\n"), 400},
      {"9112 5.1", "a name that is no token", get("Host: h\r\nA[]: b\r\n"), 400},
      {"9112 5.1", "blanks around a value", get("Host: \t h \t\r\n"), 200},
      {"9112 5.2", "a folded field", get("Host: h\r\nA: b\r\n c\r\n"), 400},
      {"9112 5.2", "one folded with a tab", get("Host: h\r\nA: b\r\n\tc\r\n"), 400},
      {"9110 5.5", "NUL in a value", get("Host: h\r\nA: b\0c\r\n"s), 400},
      {"9110 5.5", "a control character in a value", get("Host: h\r\nA: b\x07\r\n"), 400},
      {"9110 5.5", "bytes above 127 in a value", get("Host: h\r\nA: \xc3\xa9\r\n"), 200},
      {"9112 6.1", "Transfer-Encoding in HTTP/1.0",
       "POST /x HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"9112 6.1", "Transfer-Encoding and Content-Length",
       post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"9112 6.1", "an unknown coding before chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
      {"9112 6.1", "the same in two fields",
       post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 501},
      {"9112 6.1", "chunked twice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400},
      {"9112 6.1", "chunked twice in two fields",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"9112 6.3", "a coding behind chunked", post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), 400},
      {"9112 6.3", "a coding without chunked", post("Transfer-Encoding: gzip\r\n", "0\r\n\r\n"), 400},
      {"9112 6.3", "an obsolete one", post("Transfer-Encoding: identity\r\n", ""), 400},
      {"9112 6.3", "a name like chunked", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 400},
      {"9112 6.3", "an empty Transfer-Encoding", post("Transfer-Encoding:\r\n", ""), 400},
      {"9112 7", "chunked with a parameter", post("Transfer-Encoding: chunked;a=b\r\n", "0\r\n\r\n"), 400},
      {"9112 7", "chunked in capitals", post("Transfer-Encoding: CHUNKED\r\n", "0\r\n\r\n"), 200},
      {"9112 6.3", "Content-Length with a sign", post("Content-Length: +1\r\n", "a"), 400},
      {"9112 6.3", "Content-Length below zero", post("Content-Length: -1\r\n", "a"), 400},
      {"9112 6.3", "Content-Length in hexadecimal", post("Content-Length: 0x1\r\n", "a"), 400},
      {"9112 6.3", "Content-Length with a blank inside", post("Content-Length: 1 1\r\n", "aaaaaaaaaaa"), 400},
      {"9112 6.3", "an empty Content-Length", post("Content-Length:\r\n", ""), 400},
      {"9112 6.3", "Content-Length beyond all files", post("Content-Length: 99999999999999999999\r\n", "a"), 400},
      {"9112 6.3", "two that differ", post("Content-Length: 1\r\nContent-Length: 2\r\n", "a"), 400},
      {"9112 6.3", "a list that differs", post("Content-Length: 1, 2\r\n", "a"), 400},
      {"9110 8.6", "a list", post("Content-Length: 1, 1\r\n", "a"), 400},
      {"9110 8.6", "the same twice", post("Content-Length: 1\r\nContent-Length: 1\r\n", "a"), 200},
      {"9110 10.1.1", "an unknown expectation", post("Expect: miracles\r\nContent-Length: 1\r\n", "a"), 417},
      {"9112 7.1", "a chunk size that is none", chunked("g\r\n"), 400},
      {"9112 7.1", "an empty one", chunked("\r\n"), 400},
      {"9112 7.1", "one with a sign", chunked("-1\r\n"), 400},
      {"9112 7.1", "one with a prefix", chunked("0x1\r\na\r\n0\r\n\r\n"), 400},
      {"9112 7.1", "one that overflows 64 bits", chunked("10000000000000001\r\na\r\n0\r\n\r\n"), 400},
      {"9112 7.1", "one that overflows 63 bits", chunked("ffffffffffffffff\r\n"), 400},
      {"9112 7.1", "a blank before it", chunked(" 1\r\na\r\n0\r\n\r\n"), 400},
      {"9112 7.1", "a blank behind it", chunked("1 \r\na\r\n0\r\n\r\n"), 400},
      {"9112 7.1", "LF alone behind it", chunked("1\na\r\n0\r\n\r\n"), 400},
      {"9112 7.1", "more data than its size", chunked("1\r\nab\r\n0\r\n\r\n"), 400},
      {"9112 7.1", "leading zeros", chunked("00000000000000000001\r\na\r\n0\r\n\r\n"), 200},
      {"9112 7.1.1", "an extension", chunked("1 ; a = \"b\"\r\na\r\n0;c\r\n\r\n"), 200},
      {"9112 7.1.1", "a control character in one", chunked("1;a=\x01\r\na\r\n0\r\n\r\n"), 400},
      {"9112 7.1.1", "a bare CR in one", chunked("1;a\rb\r\na\r\n0\r\n\r\n"), 400},
      {"9112 7.1.1", "LF alone behind one", chunked("1;a\na\r\n0\r\n\r\n"), 400},
      {"9112 7.1.1", "one without end", chunked("1;" + std::string(100'000, 'a')), 400},
      {"9112 7.1.2", "a trailer", chunked("0\r\nA: b\r\n\r\n"), 200},
      {"9112 7.1.2", "a trailer without a colon", chunked("0\r\nA\r\n\r\n"), 400},
      {"9112 5.1", "a blank before its colon", chunked("0\r\nA : b\r\n\r\n"), 400},
      {"9112 5.2", "a folded trailer", chunked("0\r\nA: b\r\n c\r\n\r\n"), 400},
      {"9110 5.4", "more header than there is room for", get("Host: h\r\nA: " + std::string(70'000, 'a') + "\r\n"),
       431},
      {"9112 2.2", "empty lines without end",
       [] {
         std::string lines;
         while (lines.size() < 100'000) lines += "\r\n";
         return lines;
       }(),
       431},
      {"9112 3", "a target longer than there is room for", "GET /" + std::string(17'000, 'a'), 414},
  };
}

TEST_F(HttpTest, RefusesWhatTheRfcsSay) {
  start();
  for (const auto& row : rows()) {
    SCOPED_TRACE(std::string("RFC ") + row.section + ": " + row.what);
    Client client(port());
    auto answer = client.ask(row.request);
    EXPECT_EQ(answer.status, row.status) << answer.body;
    if (row.status == 200) continue;
    EXPECT_EQ(answer.headers["connection"], "close");
    EXPECT_THAT(client.rest(), testing::IsEmpty());
  }
}

}  // namespace
}  // namespace quire::http
