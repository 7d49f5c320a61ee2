-- SPDX-License-Identifier: Apache-2.0
-- Policies in Neovim 0.7 and later, with its own client: `:luafile` this, or put it into ~/.config/nvim/plugin/.
local function start(buffer)
  local file = vim.api.nvim_buf_get_name(buffer)
  local git = vim.fn.finddir('.git', vim.fn.fnamemodify(file, ':p:h') .. ';')
  local root = git ~= '' and vim.fn.fnamemodify(git, ':p:h:h') or vim.fn.getcwd()
  for _, client in pairs(vim.lsp.get_active_clients()) do
    if client.name == 'pdpctl' and client.config.root_dir == root then
      vim.lsp.buf_attach_client(buffer, client.id)
      return
    end
  end
  local client = vim.lsp.start_client({
    name = 'pdpctl',
    cmd = { vim.env.PDPCTL or 'pdpctl', 'lsp' },
    root_dir = root,
    workspace_folders = { { uri = vim.uri_from_fname(root), name = root } },
    -- A policy folder that is not found by itself: init_options = { folders = { 'deploy/policies' } },
  })
  if client then
    vim.lsp.buf_attach_client(buffer, client)
  end
end

vim.api.nvim_create_autocmd('FileType', {
  pattern = 'yaml',
  callback = function(event)
    start(event.buf)
    vim.bo[event.buf].omnifunc = 'v:lua.vim.lsp.omnifunc' -- completion: CTRL-X CTRL-O
    vim.bo[event.buf].tagfunc = 'v:lua.vim.lsp.tagfunc' -- definition: CTRL-]
    vim.keymap.set('n', 'K', vim.lsp.buf.hover, { buffer = event.buf })
    vim.keymap.set('n', 'gr', vim.lsp.buf.references, { buffer = event.buf })
    vim.keymap.set('n', '<leader>a', vim.lsp.buf.code_action, { buffer = event.buf })
    vim.keymap.set('n', '<leader>f', function()
      (vim.lsp.buf.format or vim.lsp.buf.formatting)() -- 0.7 has the latter
    end, { buffer = event.buf })
  end,
})
