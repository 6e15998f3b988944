# SPDX-License-Identifier: MIT
# A configuration of puma with the program in it: answers "PID SLOT\n"; /work?MS takes that long.
threads 1, 1
queue_requests false # or a stop drops the connections that are accepted but not yet read
app do |env|
  sleep(env['QUERY_STRING'].to_i / 1000.0) if env['PATH_INFO'] == '/work'
  body = "#{Process.pid} #{ENV['PMCTL_SLOT']}\n"
  [200, { 'content-type' => 'text/plain', 'content-length' => body.bytesize.to_s }, [body]]
end
