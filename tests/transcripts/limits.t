# Bodies that are too large, routes and methods that do not exist.
--- request POST /v1/messages

$(x*33554433)
--- answer 413
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"request_too_large","message":"the request body is too large","details":{"error_code":"request_too_large"}},"request_id":"req_<1>"}
--- request POST /v1/chat/completions

$(x*33554433)
--- answer 413
content-type: application/json
x-should-retry: false

{"error":{"message":"the request body is too large","type":"invalid_request_error","param":null,"code":"request_too_large"}}
--- request POST /nowhere

{}
--- answer 404
content-type: application/json
x-should-retry: false

{"error":{"code":"not_found","message":"there is nothing at this path","hint":"ask a model with POST /v1/chat/completions or POST /v1/messages","field":"","reason":"not_found"}}
--- request GET /v1/nowhere

--- answer 404
content-type: application/json
x-should-retry: false

{"error":{"message":"there is nothing at this path (ask a model with POST /v1/chat/completions or POST /v1/messages)","type":"invalid_request_error","param":null,"code":"not_found"}}
--- request GET /v1/messages

--- answer 405
content-type: application/json
x-should-retry: false
allow: POST, OPTIONS

{"type":"error","error":{"type":"invalid_request_error","message":"this path does not take GET (it takes POST, OPTIONS)","details":{"error_code":"method_not_allowed"}},"request_id":"req_<2>"}
--- request DELETE /v1/chat/completions

--- answer 405
content-type: application/json
x-should-retry: false
allow: POST, OPTIONS

{"error":{"message":"this path does not take DELETE (it takes POST, OPTIONS)","type":"invalid_request_error","param":null,"code":"method_not_allowed"}}
--- request GET /v1/models

x
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"this route takes no request body","type":"invalid_request_error","param":null,"code":null}}
--- request PUT /healthz

--- answer 405
content-type: application/json
x-should-retry: false
allow: GET, HEAD, OPTIONS

{"error":{"code":"unimplemented","message":"this path does not take PUT","hint":"it takes GET, HEAD, OPTIONS","field":"","reason":"method_not_allowed"}}
--- ledger
