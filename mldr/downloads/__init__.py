"""Pictures fetched from the web on request: a folder of them, a careful client, and manners towards servers."""
