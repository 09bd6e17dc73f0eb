-- wrk: asks for offers near a place, another one with each request. Arguments: key, height, width, step.
local threads = 0

function setup(thread)
  thread:set("thread_number", threads)
  local ports = {}
  for port in string.gmatch(os.getenv("PARCELWALL_BENCH_PORTS") or "", "%d+") do ports[#ports + 1] = port end
  if #ports > 0 then thread.addr = wrk.lookup("127.0.0.1", ports[threads % #ports + 1])[1] end
  threads = threads + 1
end

function init(args)
  high, wide, step = tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
  math.randomseed(thread_number * 7919 + 17)
  wrk.method = "POST"
  wrk.headers["Authorization"] = "Bearer " .. args[1]
  wrk.headers["Content-Type"] = "application/json"
end

local body = '{"length_mm":%d,"width_mm":%d,"height_mm":%d,"weight_g":%d,"near":{"lat":%.5f,"lon":%.5f}}'

function request()
  return wrk.format(nil, "/api/v1/offers", nil, string.format(body, math.random(150, 370), math.random(100, 330),
    math.random(15, 65), math.random(200, 4500), 48 + math.random() * high * step, 14 + math.random() * wide * step))
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"duration_us":%d,"wrong":%d,"lost":%d,"p50_ms":%.2f,"p99_ms":%.2f}\n',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
