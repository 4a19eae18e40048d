<?php
header('X-Pid: ' . getmypid());
echo getenv('BEHIND') === false ? "clean\n" : "left\n";
fastcgi_finish_request();
putenv('BEHIND=1');
