# Failures: before the answer, in mid-stream, refused.
--- script
on user "[at once]"
  fail unavailable "the card fell off the bus"
on user "[later]"
  text "I was going to"
  fail internal "the answer was lost" hint "ask again"
on user "[refuse]"
  refuse failed_precondition "this model takes no such request" field "messages" reason "not_today"
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"[at once]"}]}
--- answer 503
content-type: application/json
x-should-retry: true
retry-after-ms: 2000
retry-after: 2

{"error":{"message":"the card fell off the bus","type":"server_error","param":null,"code":"server_is_overloaded"}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"[at once]"}],"stream":true}
--- answer 200
content-type: text/event-stream; charset=utf-8
cache-control: no-cache
x-accel-buffering: no

data: {"id":"chatcmpl-<1>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}

data: {"error":{"message":"the card fell off the bus","type":"server_error","param":null,"code":"server_is_overloaded"}}

--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"[later]"}],"stream":true}
--- answer 200
content-type: text/event-stream; charset=utf-8
cache-control: no-cache
x-accel-buffering: no

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":"I"},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":" was"},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":" going"},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":" to"},"logprobs":null,"finish_reason":null}]}

data: {"error":{"message":"the answer was lost (ask again)","type":"server_error","param":null,"code":"server_error"}}

--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"[refuse]"}]}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"messages: this model takes no such request","type":"invalid_request_error","param":"messages","code":"not_today"}}
--- ledger
openai_chat scripted upstream_error 503 in=7 read=0 write=0 out=0 reasoning=0 error=unavailable
openai_chat scripted upstream_error 200 in=7 read=0 write=0 out=0 reasoning=0 stream error=unavailable
openai_chat scripted upstream_error 200 in=6 read=0 write=0 out=4 reasoning=0 stream error=internal
