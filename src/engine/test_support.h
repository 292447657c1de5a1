#pragma once
// Shared by the tests of engines: requests to ask with and a recorder of what came back. Not part
// of the product.

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engine/event_order.h"

namespace fh::engine::testing {

inline domain::Message message(domain::Role role, std::string text) {
  return {role, {domain::TextPart{std::move(text)}}};
}

inline PrepareRequest ask(std::string text, std::string tenant = "acme") {
  PrepareRequest request;
  request.request_id = "req_test";
  request.tenant = std::move(tenant);
  request.generation.conversation.messages.push_back(message(domain::Role::User, std::move(text)));
  return request;
}

inline domain::Tool weather_tool() {
  return {"get_weather", "Weather of a city",
          R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})",
          false};
}

// Everything that one request was answered. Callbacks may come on any thread and later than the
// test's interest.
class Recorder : public std::enable_shared_from_this<Recorder> {
 public:
  static std::shared_ptr<Recorder> make() { return std::make_shared<Recorder>(); }

  PrepareFn on_prepared() {
    return [self = shared_from_this()](base::Result<Prepared> result) {
      const std::lock_guard lock(self->mutex_);
      ++self->prepare_answers_;
      self->prepared_ = std::move(result);
    };
  }
  // `after` runs outside the lock with the number of events so far.
  EventFn on_event(std::function<void(std::size_t)> after = {}) {
    return [self = shared_from_this(), after = std::move(after)](domain::Event event) {
      std::size_t count = 0;
      {
        const std::lock_guard lock(self->mutex_);
        if (auto ok = self->order_.accept(event); !ok && !self->fault_)
          self->fault_ = ok.error().message;
        self->events_.push_back(std::move(event));
        count = self->events_.size();
      }
      if (after) after(count);
    };
  }

  std::optional<base::Result<Prepared>> prepared() const {
    const std::lock_guard lock(mutex_);
    return prepared_;
  }
  int prepare_answers() const {
    const std::lock_guard lock(mutex_);
    return prepare_answers_;
  }
  std::vector<domain::Event> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  // The first broken rule of the stream; empty if none.
  std::string fault() const {
    const std::lock_guard lock(mutex_);
    return fault_.value_or("");
  }
  bool ended() const {
    const std::lock_guard lock(mutex_);
    return order_.ended();
  }
  std::size_t terminals() const {
    const auto all = events();
    return static_cast<std::size_t>(std::ranges::count_if(all, domain::is_terminal));
  }
  std::optional<domain::Finished> finished() const {
    const auto all = events();
    if (all.empty()) return std::nullopt;
    const auto* last = std::get_if<domain::Finished>(&all.back());
    return last == nullptr ? std::nullopt : std::optional(*last);
  }
  std::optional<domain::Failed> failed() const {
    const auto all = events();
    if (all.empty()) return std::nullopt;
    const auto* last = std::get_if<domain::Failed>(&all.back());
    return last == nullptr ? std::nullopt : std::optional(*last);
  }
  std::string text() const {
    std::string out;
    for (const auto& event : events()) {
      if (const auto* delta = std::get_if<domain::TextDelta>(&event)) out += delta->text;
    }
    return out;
  }
  std::string reasoning() const {
    std::string out;
    for (const auto& event : events()) {
      if (const auto* delta = std::get_if<domain::ReasoningDelta>(&event)) out += delta->text;
    }
    return out;
  }
  std::vector<domain::ToolCallPart> calls() const {
    std::vector<domain::ToolCallPart> out;
    for (const auto& event : events()) {
      if (const auto* begin = std::get_if<domain::ToolCallStart>(&event)) {
        out.push_back({begin->id, begin->name, {}});
      } else if (const auto* delta = std::get_if<domain::ToolCallDelta>(&event)) {
        out.back().arguments_json += delta->arguments_fragment;
      }
    }
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<base::Result<Prepared>> prepared_;
  int prepare_answers_ = 0;
  EventOrder order_;
  std::optional<std::string> fault_;
  std::vector<domain::Event> events_;
};

// For engines with threads of their own: waits until `done`, giving up after a minute (the test
// then fails on what it checks next).
inline bool wait_until(const std::function<bool()>& done) {
  for (int i = 0; i < 60'000; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return done();
}

}  // namespace fh::engine::testing
