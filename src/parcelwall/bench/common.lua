-- What every script for wrk shares: a port for each thread in turn, numbers of chance that differ, and the result.
local threads = 0

function setup(thread)
  thread:set("thread_number", threads)
  local ports = {} -- setup() runs before init(), so they come by the environment
  for port in string.gmatch(os.getenv("BENCH_PORTS") or "", "%d+") do ports[#ports + 1] = port end
  if #ports > 0 then thread.addr = wrk.lookup("127.0.0.1", ports[threads % #ports + 1])[1] end
  threads = threads + 1
end

-- Other requests from each thread, the same in each run.
function begin_chance()
  math.randomseed(thread_number * 7919 + 17)
end

-- Requests that post JSON with the key of a carrier.
function post_json(key)
  wrk.method = "POST"
  wrk.headers["Authorization"] = "Bearer " .. key
  wrk.headers["Content-Type"] = "application/json"
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"duration_us":%d,"wrong":%d,"lost":%d,"p50_ms":%.2f,"p99_ms":%.2f}\n',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
