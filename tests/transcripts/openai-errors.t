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

{"error":{"message":"this request carries no API key (send your key as `Authorization: Bearer fh-...` or `x-api-key: fh-...`)","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}
--- request POST /v1/chat/completions
authorization: Bearer wrong

{"model":"scripted","messages":[{"role":"user","content":"x"}]}
--- answer 401
content-type: application/json
x-should-retry: false

{"error":{"message":"the API key is not valid (send your key as `Authorization: Bearer fh-...` or `x-api-key: fh-...`)","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}
--- request POST /v1/chat/completions
origin: http://evil.example

{"model":"scripted","messages":[{"role":"user","content":"x"}]}
--- answer 403
content-type: application/json
x-should-retry: false

{"error":{"message":"requests from this web origin are not allowed (call from the console, from localhost, or without a browser)","type":"invalid_request_error","param":null,"code":"permission_denied"}}
--- ledger
