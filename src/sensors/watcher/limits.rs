//! What people can do when inotify is used up.

/// What to do about a limit, with the exact line to type.
pub(super) fn no_more(key: &str, what: &str) -> String {
    let path = format!("/proc/sys/fs/inotify/{key}");
    let now: u64 =
        std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let more = now.saturating_mul(2).max(1).next_power_of_two().max(512);
    format!(
        "this user has no inotify {what} left (fs.inotify.{key} = {now}); \
         `sysctl fs.inotify.{key}={more}` allows more"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_to_type_is_exact_and_allows_more() {
        let text = no_more("max_user_watches", "watches");
        let now = std::fs::read_to_string("/proc/sys/fs/inotify/max_user_watches").unwrap();
        let now: u64 = now.trim().parse().unwrap();
        let line = text.split('`').nth(1).unwrap();
        let more: u64 =
            line.strip_prefix("sysctl fs.inotify.max_user_watches=").unwrap().parse().unwrap();
        assert!(more > now, "{text}");
    }
}
