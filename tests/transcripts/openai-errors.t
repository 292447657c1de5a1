# What is wrong with a request is said in the surface's shape, with the field.
--- script
on any
  text "Hello over there."
--- request POST /v1/chat/completions

{"model":
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"invalid JSON at byte 0: object is not closed","type":"invalid_request_error","param":null,"code":null}}
--- request POST /v1/chat/completions

5
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"must be a JSON object, got number","type":"invalid_request_error","param":null,"code":null}}
--- request POST /v1/chat/completions

{"model":"scripted"}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"messages: required; must be an array","type":"invalid_request_error","param":"messages","code":null}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"n":2}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"n: only 1 is supported","type":"invalid_request_error","param":"n","code":null}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"temperature":"hot"}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"temperature: must be a number, got string","type":"invalid_request_error","param":"temperature","code":null}}
--- request POST /v1/chat/completions

{"model":"nobody","messages":[{"role":"user","content":"x"}]}
--- answer 404
content-type: application/json
x-should-retry: false

{"error":{"message":"the model `nobody` does not exist here (GET /v1/models lists what does)","type":"invalid_request_error","param":"model","code":"model_not_found"}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"messages.0.content.0: this model does not read images","type":"invalid_request_error","param":"messages.0.content.0","code":"images_unsupported"}}
--- request POST /v1/chat/completions
anonymous: yes

{"model":"scripted","messages":[{"role":"user","content":"x"}]}
--- answer 401
content-type: application/json
x-should-retry: false
www-authenticate: Bearer realm="freehold"

{"error":{"message":"this request carries no API key (send your key as `Authorization: Bearer fh-...` or `x-api-key: fh-...`)","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}
--- request POST /v1/chat/completions
authorization: Bearer wrong

{"model":"scripted","messages":[{"role":"user","content":"x"}]}
--- answer 401
content-type: application/json
x-should-retry: false
www-authenticate: Bearer realm="freehold"

{"error":{"message":"the API key is not valid (send your key as `Authorization: Bearer fh-...` or `x-api-key: fh-...`)","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}
--- request POST /v1/chat/completions
origin: http://evil.example

{"model":"scripted","messages":[{"role":"user","content":"x"}]}
--- answer 403
content-type: application/json
x-should-retry: false

{"error":{"message":"requests from this web origin are not allowed (call from the console, from localhost, or without a browser)","type":"invalid_request_error","param":null,"code":"permission_denied"}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"temperature":1e999}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"temperature: must be between 0 and 2","type":"invalid_request_error","param":"temperature","code":null}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"max_completion_tokens":1e999}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"max_completion_tokens: must be an integer","type":"invalid_request_error","param":"max_completion_tokens","code":null}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"seed":-1e999}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"seed: must be an integer","type":"invalid_request_error","param":"seed","code":null}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"logit_bias":{"5":1e999}}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"logit_bias.5: must be between -100 and 100","type":"invalid_request_error","param":"logit_bias.5","code":null}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"nobody_knows":1e999}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<1>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"Hello over there.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"text_tokens":5,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}
--- ledger
openai_chat scripted complete 200 in=5 read=0 write=0 out=3 reasoning=0
