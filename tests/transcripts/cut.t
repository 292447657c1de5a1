# A limit that falls into the middle of a code point: the half is left out, a whole one is kept, and no log-probability is lost.
--- script
on any
  token "caf" "\xc3" "\xa9" " \xf0\x9f" "\xa6\x86!"
--- request POST /v1/messages

{"model":"scripted","max_tokens":2,"messages":[{"role":"user","content":"x"}]}
--- answer 200
content-type: application/json

{"id":"msg_<1>","type":"message","role":"assistant","model":"scripted","content":[{"type":"text","text":"caf"}],"stop_reason":"max_tokens","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":2,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- request POST /v1/messages

{"model":"scripted","max_tokens":4,"stream":true,"messages":[{"role":"user","content":"x"}]}
--- answer 200
content-type: text/event-stream; charset=utf-8
cache-control: no-cache
x-accel-buffering: no

event: message_start
data: {"type":"message_start","message":{"id":"msg_<2>","type":"message","role":"assistant","model":"scripted","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"caf"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"é"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" "}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null,"stop_details":null,"container":null},"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":4,"output_tokens_details":{"thinking_tokens":0}}}

event: message_stop
data: {"type":"message_stop"}

--- request POST /v1/chat/completions

{"model":"scripted","max_tokens":2,"logprobs":true,"messages":[{"role":"user","content":"x"}]}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<1>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"caf","refusal":null,"annotations":[]},"logprobs":{"content":[{"token":"caf","logprob":-0.8408203125,"bytes":[99,97,102],"top_logprobs":[]},{"token":"�","logprob":-0.955078125,"bytes":[195],"top_logprobs":[]}],"refusal":null},"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"text_tokens":5,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}
--- request POST /v1/chat/completions

{"model":"scripted","max_tokens":4,"stream":true,"messages":[{"role":"user","content":"x"}]}
--- answer 200
content-type: text/event-stream; charset=utf-8
cache-control: no-cache
x-accel-buffering: no

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":"caf"},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":"é"},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":" "},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":4,"total_tokens":9,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"text_tokens":5,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}

data: [DONE]

--- request POST /v1/chat/completions

{"model":"scripted","max_tokens":5,"messages":[{"role":"user","content":"x"}]}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<3>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"café 🦆!","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":5,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"text_tokens":5,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}
--- ledger
anthropic scripted length 200 in=5 read=0 write=0 out=2 reasoning=0
anthropic scripted length 200 in=5 read=0 write=0 out=4 reasoning=0 stream
openai_chat scripted length 200 in=5 read=0 write=0 out=2 reasoning=0
openai_chat scripted length 200 in=5 read=0 write=0 out=4 reasoning=0 stream
openai_chat scripted complete 200 in=5 read=0 write=0 out=5 reasoning=0
