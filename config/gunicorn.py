"""How gunicorn serves the platform: a worker for each core, some threads in each, connections kept open."""

import multiprocessing
import os

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_WORKERS", multiprocessing.cpu_count()))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "16"))
keepalive = 75
timeout = 60
graceful_timeout = 20
control_socket_disable = True
# What a game sends never needs more; the body's limit is the application's (contract 1.1).
limit_request_line = 4094
limit_request_field_size = 8190
accesslog = None
