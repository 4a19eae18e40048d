<?php
this is no php at all {
