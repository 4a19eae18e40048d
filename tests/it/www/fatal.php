<?php
error_log('about to call nothing');
no_such_function();
