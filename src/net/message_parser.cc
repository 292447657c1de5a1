// See message_parser_impl.h. llhttp calls back with pieces of the bytes it was given; positions of
// the parts of the first line are kept as offsets into the message, because llhttp accepts line
// breaks before the method and several spaces after it, and the policy does not.

#include "net/message_parser_impl.h"

#include <algorithm>
#include <cstring>

#include "net/text.h"

namespace fh::net {

// llhttp's callbacks; a struct only so that it can be a friend.
struct ParserCallbacks {
  static MessageParser& self(llhttp_t* parser) {
    auto& me = *static_cast<MessageParser*>(parser->data);
    me.progressed_ = true;
    return me;
  }
  static int on_protocol(llhttp_t* parser, const char* at, std::size_t length) {
    self(parser).head_.protocol.append(at, length);
    return 0;
  }
  static int on_method(llhttp_t* parser, const char* at, std::size_t length) {
    MessageParser& me = self(parser);
    if (me.head_.method.empty() && me.offset_of(at) != 0) me.head_.exact_first_line = false;
    me.head_.method.append(at, length);
    me.method_end_ = me.offset_of(at) + length;
    return 0;
  }
  static int on_url(llhttp_t* parser, const char* at, std::size_t length) {
    MessageParser& me = self(parser);
    if (me.head_.target.empty() && me.offset_of(at) != me.method_end_ + 1) {
      me.head_.exact_first_line = false;
    }
    me.head_.target.append(at, length);
    me.target_end_ = me.offset_of(at) + length;
    return 0;
  }
  static int on_version(llhttp_t* parser, const char* at, std::size_t length) {
    MessageParser& me = self(parser);
    constexpr std::size_t kSlash = 5;  // "HTTP/"
    const std::size_t expected =
        me.kind_ == MessageParser::Kind::Request ? me.target_end_ + 1 + kSlash : kSlash;
    if (me.version_.empty() && me.offset_of(at) != expected) me.head_.exact_first_line = false;
    me.version_.append(at, length);
    return 0;
  }
  static int on_field(llhttp_t* parser, const char* at, std::size_t length) {
    MessageParser& me = self(parser);
    if (me.head_complete_) return count_trailer(me, length);
    if (me.field_.name.empty() && me.head_.fields.size() >= me.limits_.header_fields_max) {
      return me.refuse(431, "the head has too many header fields");
    }
    me.field_.name.append(at, length);
    return 0;
  }
  static int on_value(llhttp_t* parser, const char* at, std::size_t length) {
    MessageParser& me = self(parser);
    if (me.head_complete_) return count_trailer(me, length);
    me.field_.value.append(at, length);
    return 0;
  }
  static int on_value_complete(llhttp_t* parser) {
    MessageParser& me = self(parser);
    if (me.head_complete_) return 0;
    const std::string_view value = trim(me.field_.value);
    if (value.size() != me.field_.value.size()) me.field_.value = std::string(value);
    me.head_.fields.push_back(std::move(me.field_));
    me.field_ = Header{};
    return 0;
  }
  static int on_headers_complete(llhttp_t* parser) {
    MessageParser& me = self(parser);
    me.head_.version_major = parser->http_major;
    me.head_.version_minor = parser->http_minor;
    if (me.kind_ == MessageParser::Kind::Response) me.head_.status = parser->status_code;
    me.head_complete_ = true;
    me.paused_ = true;
    parser->upgrade = 0;  // never upgraded in clear text
    return HPE_PAUSED;
  }
  static int on_chunk_header(llhttp_t* parser) {
    self(parser).extension_bytes_ = 0;
    return 0;
  }
  static int on_extension(llhttp_t* parser, const char*, std::size_t length) {
    MessageParser& me = self(parser);
    me.extension_bytes_ += length;
    if (me.extension_bytes_ > me.limits_.chunk_extension_bytes_max) {
      return me.refuse(400, "a chunk extension is too long");
    }
    return 0;
  }
  static int on_body(llhttp_t* parser, const char* at, std::size_t length) {
    MessageParser& me = self(parser);
    if (me.body_ == nullptr) return me.refuse(400, "unexpected bytes after the head");
    if (length > me.body_bytes_max_ - std::min(me.body_bytes_max_, me.body_->size())) {
      return me.refuse(413, "the request body is too large");
    }
    me.body_->append(at, length);
    return 0;
  }
  static int on_message_complete(llhttp_t* parser) {
    MessageParser& me = self(parser);
    me.complete_ = true;
    me.paused_ = true;
    return HPE_PAUSED;
  }
  static int count_trailer(MessageParser& me, std::size_t length) {
    me.trailer_bytes_ += length;
    if (me.trailer_bytes_ > me.limits_.trailer_bytes_max) {
      return me.refuse(431, "the trailer section is too large");
    }
    return 0;
  }
  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t kSettings = [] {
      llhttp_settings_t s;
      llhttp_settings_init(&s);
      s.on_protocol = on_protocol;
      s.on_method = on_method;
      s.on_url = on_url;
      s.on_version = on_version;
      s.on_header_field = on_field;
      s.on_header_value = on_value;
      s.on_header_value_complete = on_value_complete;
      s.on_headers_complete = on_headers_complete;
      s.on_chunk_header = on_chunk_header;
      s.on_chunk_extension_name = on_extension;
      s.on_chunk_extension_value = on_extension;
      s.on_body = on_body;
      s.on_message_complete = on_message_complete;
      return s;
    }();
    return kSettings;
  }
};

MessageParser::MessageParser(Kind kind, const ParserLimits& limits) : kind_(kind), limits_(limits) {
  llhttp_init(&parser_, kind == Kind::Request ? HTTP_REQUEST : HTTP_RESPONSE,
              &ParserCallbacks::settings());
  parser_.data = this;
}

void MessageParser::reset() {
  llhttp_reset(&parser_);
  head_ = RawHead{};
  field_ = Header{};
  refusal_ = Refusal{};
  refused_ = head_complete_ = complete_ = paused_ = false;
  head_bytes_ = extension_bytes_ = trailer_bytes_ = silent_bytes_ = 0;
  method_end_ = target_end_ = 0;
  version_.clear();
}

int MessageParser::refuse(int status, std::string_view message) {
  if (!refused_) {
    refused_ = true;
    refusal_ = Refusal{status, message};
  }
  return HPE_USER;
}

std::size_t MessageParser::offset_of(const char* at) const {
  return head_bytes_ + static_cast<std::size_t>(at - slice_);
}

std::size_t MessageParser::run(std::string_view bytes) {
  slice_ = bytes.data();
  progressed_ = false;
  const llhttp_errno_t error = llhttp_execute(&parser_, bytes.data(), bytes.size());
  std::size_t taken = bytes.size();
  if (error != HPE_OK) {
    const char* stopped = llhttp_get_error_pos(&parser_);
    if (stopped != nullptr) taken = static_cast<std::size_t>(stopped - bytes.data());
    if (error == HPE_PAUSED && paused_) {
      paused_ = false;
      llhttp_resume(&parser_);
    } else if (!refused_) {
      explain(error, bytes.substr(std::min(taken, bytes.size())));
    }
  }
  slice_ = nullptr;
  return taken;
}

std::size_t MessageParser::feed_head(std::string_view bytes) {
  if (refused_ || head_complete_ || bytes.empty()) return 0;
  if (head_bytes_ == 0 && (bytes.front() == '\r' || bytes.front() == '\n')) {
    refuse(400, "there is an empty line before the request");
    return 0;
  }
  const std::size_t before = head_bytes_;
  const std::size_t taken = run(bytes);
  head_bytes_ += taken;
  if (!refused_ && head_bytes_ > limits_.head_bytes_max) {
    if (head_.target.size() + 64 > limits_.head_bytes_max) {
      refuse(414, "the request target is too long");
    } else {
      refuse(431, "the head is too large");
    }
  }
  // The HTTP/0.9 form ends its line behind the target, and llhttp would wait for header fields.
  if (!refused_ && !head_.target.empty() && target_end_ >= before && target_end_ - before < taken) {
    const char behind = bytes[target_end_ - before];
    if (behind == '\r' || behind == '\n') refuse(400, "HTTP/0.9 is not supported");
  }
  return taken;
}

std::size_t MessageParser::feed_chunked(std::string_view bytes, std::string& out,
                                        std::size_t out_bytes_max) {
  if (refused_ || complete_ || bytes.empty()) return 0;
  body_ = &out;
  body_bytes_max_ = out_bytes_max;
  const std::size_t taken = run(bytes);
  body_ = nullptr;
  silent_bytes_ = progressed_ ? 0 : silent_bytes_ + taken;
  if (!refused_ && silent_bytes_ > limits_.chunk_line_bytes_max) {
    refuse(400, "a chunk size line is too long");
  }
  return taken;
}

void MessageParser::explain(llhttp_errno_t error, std::string_view rest) {
  const char* reason_text = llhttp_get_error_reason(&parser_);
  const std::string_view reason = reason_text == nullptr ? "" : reason_text;
  switch (error) {
    case HPE_INVALID_METHOD:
      if (!rest.empty() && is_token_char(rest.front())) {
        refuse(501, "this method is not supported");
      } else {
        refuse(400, "the request line is malformed");
      }
      return;
    case HPE_INVALID_VERSION:
      if (reason == "Invalid HTTP version") {
        refuse(505, "only HTTP/1.1 and HTTP/1.0 are supported");
      } else {
        refuse(400, "the HTTP version is malformed");
      }
      return;
    case HPE_PAUSED_H2_UPGRADE: refuse(505, "HTTP/2 is not supported here"); return;
    case HPE_INVALID_TRANSFER_ENCODING: explain_transfer_encoding(rest); return;
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH: refuse(400, "Content-Length is not valid here"); return;
    case HPE_INVALID_CHUNK_SIZE: refuse(400, "a chunk size is malformed"); return;
    case HPE_INVALID_URL: refuse(400, "the request target is malformed"); return;
    default:
      refuse(400, head_complete_ ? "the message body is malformed" : "the head is malformed");
  }
}

// llhttp stops inside the field, for instance at what follows `chunked`. A coding that we do not
// know is 501, other faults are 400.
void MessageParser::explain_transfer_encoding(std::string_view rest) {
  std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
  const bool ambiguous =
      std::any_of(head_.fields.begin(), head_.fields.end(), [](const Header& field) {
        return equal_ignoring_case(field.name, "content-length") ||
               equal_ignoring_case(field.name, "transfer-encoding");
      });
  bool unknown = false;
  while (const auto coding = next_list_element(line)) {
    unknown = unknown || !equal_ignoring_case(*coding, "chunked");
  }
  if (unknown && !ambiguous) {
    refuse(501, "the only supported transfer coding is chunked");
  } else {
    refuse(400, "Transfer-Encoding is not valid here");
  }
}

}  // namespace fh::net
