// Fuzz target of the JSON reader: whatever it accepts is within its promises (UTF-8 everywhere,
// source text that reads again to the same value), and what the writer makes of it is accepted and
// equal.

#include <cstdint>

#include "base/check.h"
#include "codec/json.h"
#include "codec/utf8.h"

namespace {

using fh::codec::json::Document;
using fh::codec::json::Kind;
using fh::codec::json::Value;
using fh::codec::json::Writer;

void write(Writer& out, const Value& value) {
  switch (value.kind()) {
    case Kind::Null: out.null(); return;
    case Kind::Bool: out.value(value.as_bool().value()); return;
    case Kind::Number:
      if (const auto integer = value.as_int()) FH_CHECK(value.as_double().has_value());
      out.raw(value.raw());
      return;
    case Kind::String:
      FH_CHECK(fh::codec::utf8::valid(*value.as_string()));
      out.value(*value.as_string());
      return;
    case Kind::Array:
      out.array();
      for (std::size_t i = 0; i < value.size(); ++i) write(out, value[i]);
      out.end_array();
      return;
    case Kind::Object:
      out.object();
      for (const auto& [key, member] : value.members()) {
        FH_CHECK(fh::codec::utf8::valid(key));
        out.key(key);
        write(out, member);
      }
      out.end_object();
      return;
  }
}

std::string written(const Document& doc) {
  Writer out;
  write(out, doc.root());
  return out.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto doc = Document::parse(text);
  if (!doc) {
    FH_CHECK(doc.error().message.starts_with("invalid JSON at byte "));
    return 0;
  }
  const std::string once = written(*doc);
  const auto from_raw = Document::parse(doc->root().raw());
  FH_CHECK(from_raw.has_value());
  FH_CHECK(written(*from_raw) == once);
  const auto from_written = Document::parse(once);
  FH_CHECK(from_written.has_value());
  FH_CHECK(written(*from_written) == once);
  return 0;
}
