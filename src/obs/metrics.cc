#include "obs/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>

namespace fh::obs {
namespace {

prometheus::Labels to_labels(Labels labels) {
  prometheus::Labels out;
  for (const auto& [name, value] : labels) out.emplace(name, value);
  return out;
}

const prometheus::Histogram::BucketBoundaries& latency_buckets() {
  static const prometheus::Histogram::BucketBoundaries buckets = {
      0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
      1,     2.5,    5,     10,   30,    60,   120, 300,  600};
  return buckets;
}

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  std::mutex mutex;
  std::map<std::string, prometheus::Family<prometheus::Counter>*, std::less<>> counters;
  std::map<std::string, prometheus::Family<prometheus::Gauge>*, std::less<>> gauges;
  std::map<std::string, prometheus::Family<prometheus::Histogram>*, std::less<>> histograms;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Counter::add(double n) {
  if (impl_ != nullptr) static_cast<prometheus::Counter*>(impl_)->Increment(n);
}
void Gauge::set(double value) {
  if (impl_ != nullptr) static_cast<prometheus::Gauge*>(impl_)->Set(value);
}
void Histogram::observe(double value) {
  if (impl_ != nullptr) static_cast<prometheus::Histogram*>(impl_)->Observe(value);
}

Counter Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
  const std::scoped_lock lock(impl_->mutex);
  auto& family = impl_->counters[std::string(name)];
  if (family == nullptr) {
    family = &prometheus::BuildCounter()
                  .Name(std::string(name))
                  .Help(std::string(help))
                  .Register(impl_->registry);
  }
  Counter out;
  out.impl_ = &family->Add(to_labels(labels));
  return out;
}

Gauge Metrics::gauge(std::string_view name, std::string_view help, Labels labels) {
  const std::scoped_lock lock(impl_->mutex);
  auto& family = impl_->gauges[std::string(name)];
  if (family == nullptr) {
    family = &prometheus::BuildGauge()
                  .Name(std::string(name))
                  .Help(std::string(help))
                  .Register(impl_->registry);
  }
  Gauge out;
  out.impl_ = &family->Add(to_labels(labels));
  return out;
}

Histogram Metrics::latency(std::string_view name, std::string_view help, Labels labels) {
  const std::scoped_lock lock(impl_->mutex);
  auto& family = impl_->histograms[std::string(name)];
  if (family == nullptr) {
    family = &prometheus::BuildHistogram()
                  .Name(std::string(name))
                  .Help(std::string(help))
                  .Register(impl_->registry);
  }
  Histogram out;
  out.impl_ = &family->Add(to_labels(labels), latency_buckets());
  return out;
}

std::string Metrics::exposition() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace fh::obs
