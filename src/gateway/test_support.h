#pragma once
// For the tests of this folder and of admin: a key table and a model that live in memory. Only
// *_test.cc files include this.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/keys.h"
#include "base/clock.h"
#include "base/random.h"
#include "engine/engine.h"
#include "net/http.h"

namespace fh::gateway::testing {

class MemoryKeys final : public auth::KeyStore {
 public:
  base::Result<std::vector<auth::KeyRecord>> load_keys() override { return records_; }
  base::Status save_key(const auth::KeyRecord& record) override {
    for (auth::KeyRecord& old : records_) {
      if (old.id == record.id) {
        old = record;
        return {};
      }
    }
    records_.push_back(record);
    return {};
  }

 private:
  std::vector<auth::KeyRecord> records_;
};

struct KeyRing {
  MemoryKeys store;
  base::ManualClock clock;
  base::SeededRandom random{7};
  auth::KeyTable table{store, base::Secret(std::string(32, 'p')), clock, random};

  // The new key's text.
  std::string make(std::string name, auth::Role role = auth::Role::Member) {
    auto made = table.create(std::move(name), role, "", "");
    return made ? std::string(made->key.reveal()) : std::string();
  }
};

// Has facts and answers nothing.
class IdleEngine final : public engine::Engine {
 public:
  explicit IdleEngine(engine::ModelInfo info) : info_(std::move(info)) {}
  engine::ModelInfo info() const override { return info_; }
  engine::EngineStatus status() const override { return {}; }
  engine::Ticket prepare(engine::PrepareRequest, engine::PrepareFn) override { return 0; }
  void start(engine::Ticket, engine::EventFn) override {}
  void cancel(engine::Ticket) override {}

 private:
  engine::ModelInfo info_;
};

inline net::HttpRequest request_for(std::string method, std::string path,
                                    std::vector<net::Header> headers = {}, std::string body = {}) {
  net::HttpRequest request;
  request.method = std::move(method);
  request.target = path;
  request.path = std::move(path);
  request.headers = std::move(headers);
  request.body = std::move(body);
  return request;
}

inline std::string_view header_of(const net::HttpResponse& response, std::string_view name) {
  for (const net::Header& field : response.headers) {
    if (field.name == name) return field.value;
  }
  return {};
}

}  // namespace fh::gateway::testing
