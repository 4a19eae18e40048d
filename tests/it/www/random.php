<?php
header('Content-Type: text/plain');
echo mt_rand(), ' ', uniqid('', true), ' ', lcg_value(), "\n";
