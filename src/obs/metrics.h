#pragma once
// The metrics registry: counters, gauges and histograms in the Prometheus text format, over
// prometheus-cpp's core. Resolve an instrument once per label set and keep the reference; using it
// is lock-free. Label values come from closed sets (models, dialects, reasons, status classes):
// never a prompt, a key or anything a client chose freely.

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace fh::obs {

using Labels = std::initializer_list<std::pair<std::string, std::string>>;

class Counter {
 public:
  void add(double n = 1);

 private:
  friend class Metrics;
  void* impl_ = nullptr;
};

class Gauge {
 public:
  void set(double value);

 private:
  friend class Metrics;
  void* impl_ = nullptr;
};

class Histogram {
 public:
  void observe(double value);

 private:
  friend class Metrics;
  void* impl_ = nullptr;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Counter counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge gauge(std::string_view name, std::string_view help, Labels labels = {});
  // Latency in seconds, buckets 1 ms .. 600 s.
  Histogram latency(std::string_view name, std::string_view help, Labels labels = {});
  std::string exposition() const;  // text format 0.0.4

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fh::obs
