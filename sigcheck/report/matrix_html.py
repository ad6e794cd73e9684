def render_html(m, v):
    return ""
