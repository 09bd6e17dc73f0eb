-- wrk: announces a parcel with room at a station, a new one with each request. Arguments: key, run, stations, ports...
local threads = 0
local ports

function setup(thread)
  thread:set("thread_number", threads)
  threads = threads + 1
  if #ports_of() > 0 then
    thread.addr = wrk.lookup("127.0.0.1", ports_of()[(threads - 1) % #ports_of() + 1])[1]
  end
end

-- setup() runs before init(), so the ports come by the environment.
function ports_of()
  if not ports then
    ports = {}
    for port in string.gmatch(os.getenv("PARCELWALL_BENCH_PORTS") or "", "%d+") do ports[#ports + 1] = port end
  end
  return ports
end

function init(args)
  run, stations, prefix, counter = args[2], tonumber(args[3]), args[4], 0
  math.randomseed(thread_number * 7919 + 17)
  wrk.method = "POST"
  wrk.headers["Authorization"] = "Bearer " .. args[1]
  wrk.headers["Content-Type"] = "application/json"
end

local body = '{"reference":"%s","length_mm":%d,"width_mm":%d,"height_mm":%d,"weight_g":%d,"recipient":{"name":"Maija %d",'
  .. '"email":"maija.%d@example.org","phone":"+35840%07d","language":"fi"},"destination":{"station_id":"%s-%04d"}}'

function request()
  counter = counter + 1
  local name = run .. thread_number .. "-" .. counter
  wrk.headers["Idempotency-Key"] = "key-" .. name
  local text = string.format(body, name, math.random(150, 370), math.random(100, 330), math.random(15, 65),
    math.random(200, 4500), counter, counter, counter, prefix, math.random(1, stations))
  return wrk.format(nil, "/api/v1/parcels", nil, text)
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"duration_us":%d,"wrong":%d,"lost":%d,"p50_ms":%.2f,"p99_ms":%.2f}\n',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
if os.getenv("PARCELWALL_BENCH_SHOW") then
  function response(status, headers, body)
    if status ~= 201 then io.stderr:write(status .. " " .. body .. "\n") end
  end
end
