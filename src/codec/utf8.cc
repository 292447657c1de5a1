// UTF-8 checking and repair. The fast path is simdjson's vectorised validator; only text that fails
// it is walked sequence by sequence.

#include "codec/utf8.h"

#include <simdjson.h>

#include <utility>

namespace fh::codec::utf8 {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

// Length of the sequence that `lead` opens and the range of its second byte; length 0 for a byte
// that opens none.
struct Lead {
  std::size_t length;
  std::uint8_t second_min;
  std::uint8_t second_max;
};

Lead lead_of(std::uint8_t lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xC2) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

Step first_sequence(std::string_view text) {
  const Lead lead = lead_of(byte_at(text, 0));
  if (lead.length == 0) return {Sequence::Invalid, 1};
  for (std::size_t i = 1; i < lead.length; ++i) {
    if (i == text.size()) return {Sequence::Incomplete, i};
    const std::uint8_t low = i == 1 ? lead.second_min : std::uint8_t{0x80};
    const std::uint8_t high = i == 1 ? lead.second_max : std::uint8_t{0xBF};
    const std::uint8_t byte = byte_at(text, i);
    if (byte < low || byte > high) return {Sequence::Invalid, i};
  }
  return {Sequence::Whole, lead.length};
}

bool valid(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

std::size_t valid_prefix_bytes(std::string_view text) {
  if (valid(text)) return text.size();
  std::size_t at = 0;
  while (at < text.size()) {
    const Step step = first_sequence(text.substr(at));
    if (step.kind != Sequence::Whole) break;
    at += step.size_bytes;
  }
  return at;
}

void append_repaired(std::string& out, std::string_view text) {
  if (valid(text)) {
    out.append(text);
    return;
  }
  std::size_t good_from = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const Step step = first_sequence(text.substr(at));
    if (step.kind != Sequence::Whole) {
      out.append(text.substr(good_from, at - good_from));
      out.append(kReplacement);
      good_from = at + step.size_bytes;
    }
    at += step.size_bytes;
  }
  out.append(text.substr(good_from));
}

std::string repaired(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_repaired(out, text);
  return out;
}

void append_code_point(std::string& out, std::uint32_t code_point) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) {
    out.append(kReplacement);
  } else if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3F));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

std::string_view truncated(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (byte_at(text, end) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace fh::codec::utf8

namespace fh::codec {

std::string Utf8Gate::push(std::string_view bytes) {
  std::string all = std::move(waiting_);
  waiting_.clear();
  all.append(bytes);
  // Only the last three bytes can belong to a sequence that is still open.
  std::size_t end = all.size();
  const std::size_t look_back = end < 3 ? end : 3;
  for (std::size_t back = 1; back <= look_back; ++back) {
    const std::size_t at = all.size() - back;
    if ((static_cast<std::uint8_t>(all[at]) & 0xC0) == 0x80) continue;
    if (utf8::first_sequence(std::string_view(all).substr(at)).kind == utf8::Sequence::Incomplete) {
      end = at;
    }
    break;
  }
  waiting_.assign(all, end);
  all.resize(end);
  if (utf8::valid(all)) return all;
  return utf8::repaired(all);
}

std::string Utf8Gate::finish() {
  std::string out = utf8::repaired(waiting_);
  waiting_.clear();
  return out;
}

}  // namespace fh::codec
