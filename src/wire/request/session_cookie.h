#pragma once

#include "wire/request/message.h"

/// How a browser carries a login: in a cookie that scripts cannot read, `__Host-quire-session`. Cookies come along with
/// requests that the page never made, so one counts only for requests of the page itself (docs/web-page.md):
///
/// - `Sec-Fetch-Site` is `same-origin`, or where it is missing, `Origin` names the host that was asked. Pages of
/// another
///   port of the same host are not that.
/// - Anything but GET and HEAD carries the field `Quire-Page`, which no form can send.
/// - No token and no credentials came another way: these win, and the cookie does not count.
namespace quire::wire {

/// Puts the token of a session cookie that counts where clients send theirs (`vmware-api-session-id`), so that whatever
/// reads tokens takes it. Returns whether it did.
bool admit_session_cookie(Request& request);

/// Whether the request carries a session cookie at all: what does not need not be copied for admit_session_cookie().
bool has_session_cookie(const Request& request);

/// The page itself made the request, and wants to be answered as a browser: logging in gives it the cookie.
bool is_of_page(const Request& request);

/// The answer to a login of the page: the token that the body holds goes into the cookie instead.
void move_token_to_cookie(Response& response);

/// The answer to a logout of the page.
void clear_session_cookie(Response& response);

}  // namespace quire::wire
