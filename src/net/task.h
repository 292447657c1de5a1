#pragma once
// net::Task<T> is the coroutine type of net, gateway and admin: the single place where a Boost
// header is named in a public header (1.5 s to include). Coroutines take owning values or things
// that outlive the connection, never a string_view or a reference to a temporary; no
// capturing-lambda coroutines; no lock across co_await.

#include <boost/asio/awaitable.hpp>

namespace fh::net {
template <typename T>
using Task = boost::asio::awaitable<T>;
}  // namespace fh::net
