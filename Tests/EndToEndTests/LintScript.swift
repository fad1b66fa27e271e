/// Runs httplint and redbot (PyPI) on answers of a real daemon.
enum LintScript {
  static let text = #"""
    """What httplint and redbot say of answers: one line per complaint, nothing when there is none.

        lint.py exchange jobs.json    [{"method", "url", "fields", "status"}, ...] with httplint
        lint.py resource URL...       GET, conditional and range requests of each with redbot

    The last line is "done".
    """

    import json
    import socket
    import sys
    import time
    from urllib.parse import urlsplit

    from httplint import HttpRequestLinter, HttpResponseLinter, levels

    COMPLAINTS = (levels.WARN, levels.BAD)


    def complain(label, notes):
        for note in notes:
            if note.level in COMPLAINTS:
                print(f"{label}: {note.level.name} {note.subject}: {note.__class__.__name__}: "
                      f"{note.summary}")
            complain(label, note.subnotes)


    def exchange(method, url, fields):
        """The raw answer: nothing stands between it and the linter that could mend it."""
        parts = urlsplit(url)
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        names = [("Host", parts.netloc), ("User-Agent", "lint"), ("Connection", "close"),
                 *fields.items()]
        head = f"{method} {target} HTTP/1.1\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in names) + "\r\n"
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
            connection.sendall(head.encode())
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        version, status, phrase = lines[0].split(b" ", 2)
        headers = [tuple(part.strip() for part in line.split(b":", 1)) for line in lines[1:]]
        return names, (version[5:], status, phrase), headers, body


    def lint(method, url, fields, status):
        sent, topline, headers, body = exchange(method, url, fields)
        request = HttpRequestLinter()
        request.process_request_topline(method.encode(), url.encode(), b"1.1")
        request.process_headers([(name.encode(), value.encode()) for name, value in sent])
        request.finish_content(True)
        response = HttpResponseLinter(start_time=time.time())
        response.request = request
        request.response = response
        response.base_uri = url
        response.is_head_response = method == "HEAD"
        response.process_response_topline(*topline)
        response.process_headers(headers)
        response.feed_content(body)
        response.finish_content(True)
        path = url.partition("//")[2].partition("/")[2]
        label = f"{method} {path[:24]} {fields} {topline[1].decode()}"
        if int(topline[1]) != status:
            print(f"{label}: not {status}")
        complain(label, response.notes)
        length = dict((name.lower(), value) for name, value in headers).get(b"content-length")
        if b"date" not in [name.lower() for name, _ in headers]:
            print(f"{label}: no Date")
        if method != "HEAD" and topline[1] not in (b"204", b"304"):
            if length is None or int(length) != len(body):
                print(f"{label}: Content-Length {length}, body of {len(body)}")
        elif body:
            print(f"{label}: a body")


    def inspect(url):
        from configparser import ConfigParser

        import thor
        from redbot.resource import HttpResource

        settings = ConfigParser()
        settings.read_dict({"redbot": {"enable_local_access": "True"}})
        resource = HttpResource(settings["redbot"])
        resource.set_request(url)
        resource.once("check_done", thor.stop)
        resource.check()
        thor.run()
        complain("redbot", resource.response.notes)
        for name, part in resource.subreqs.items():
            complain(f"redbot {name}", part.response.notes)
            if part.fetch_error:
                print(f"redbot {name}: {part.fetch_error.desc}")
        if not resource.response.complete:
            print(f"redbot: no whole answer: {resource.fetch_error}")
        for check in ("partial_support", "inm_support", "ims_support"):
            if not getattr(resource, check):
                print(f"redbot: no {check}")


    if sys.argv[1] == "exchange":
        with open(sys.argv[2]) as jobs:
            for job in json.load(jobs):
                lint(**job)
    else:
        for address in sys.argv[2:]:
            inspect(address)
    print("done")

    """#
}
